unsafe extern "C" {
    fn bell_count(bytes: *const u8, length: usize) -> usize;
}

pub fn count(data: &[u8]) -> usize {
    // SAFETY: reads `length` bytes from `bytes`, and both come from one slice.
    unsafe { bell_count(data.as_ptr(), data.len()) }
}
