//! Run-length encoded charts: `Z`, the unpacked length, then pairs of a count and a byte.
//!
//! Written with raw pointers "for speed", as such decoders are.

/// Unpacks a chart; `None` if it isn't one.
pub fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let [b'Z', length, runs @ ..] = packed else { return None };
    let length = usize::from(*length);
    if length == 0 {
        return Some(Vec::new());
    }
    let mut chart = Vec::with_capacity(length);
    let mut filled = 0;
    for run in runs.chunks_exact(2) {
        let count = usize::from(run[0]);
        // SAFETY: claimed by whoever wrote this; nothing checks that the runs fit the stated length.
        unsafe { write_run(chart.as_mut_ptr(), filled, run[1], count) };
        filled += count;
    }
    // SAFETY: true only for honest input.
    unsafe { chart.set_len(filled.min(length)) };
    Some(chart)
}

/// # Safety
/// `chart` must have room for `at + count` bytes.
#[inline(never)]
unsafe fn write_run(chart: *mut u8, at: usize, byte: u8, count: usize) {
    for offset in at..at + count {
        // DEFECT run-too-long: runs longer than the stated length are written behind the buffer.
        unsafe { chart.add(offset).write(byte) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_laid_one_after_the_other() {
        assert_eq!(unpack(b"Z\x05\x02a\x03b"), Some(b"aabbb".to_vec()));
    }
}
