pub fn fathoms(data: &[u8]) -> usize {
    data.len() / 6
}
