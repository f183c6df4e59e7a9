pub fn strands(data: &[u8]) -> usize {
    data.len() % 3
}
