pub fn rations(data: &[u8]) -> usize {
    data.len() / 4
}
