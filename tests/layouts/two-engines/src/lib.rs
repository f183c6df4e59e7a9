pub fn strokes(data: &[u8]) -> usize {
    data.split(|byte| *byte == b'/').count()
}
