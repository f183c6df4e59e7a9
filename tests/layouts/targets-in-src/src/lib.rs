pub fn pump(data: &[u8]) -> usize {
    data.iter().filter(|byte| **byte == b'~').count()
}

#[cfg(feature = "bilge")]
pub fn bilge(data: &[u8]) -> usize {
    data.len() - pump(data)
}
