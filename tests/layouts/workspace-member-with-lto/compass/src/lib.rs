pub fn point(data: &[u8]) -> Option<u16> {
    match data {
        b"N" => Some(0),
        b"E" => Some(90),
        b"S" => Some(180),
        b"W" => Some(270),
        _ => None,
    }
}
