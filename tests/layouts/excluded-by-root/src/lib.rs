pub fn angle(data: &[u8]) -> i32 {
    data.iter().map(|byte| if *byte == b'p' { -1 } else { 1 }).sum()
}
