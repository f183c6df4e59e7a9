pub fn parse(data: &[u8]) -> usize {
    data.len()
}
