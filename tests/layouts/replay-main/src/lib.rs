pub fn height(data: &[u8]) -> usize {
    data.iter().take_while(|byte| **byte == b'|').count()
}
