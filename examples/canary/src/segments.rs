//! Soundings: after `S`, segments that each open with their own length, that byte included.

/// The deepest sounding of each segment.
pub fn deepest(soundings: &[u8]) -> Vec<u8> {
    let Some(segments) = soundings.strip_prefix(b"S") else { return Vec::new() };
    let mut deepest = Vec::new();
    let mut at = 0;
    while let Some(length) = segments.get(at) {
        let end = segments.len().min(at + usize::from(*length));
        if let Some(depth) = segments.get(at + 1..end).and_then(|segment| segment.iter().max()) {
            deepest.push(*depth);
        }
        // DEFECT standing-still: a segment of length zero is looked at for ever.
        at += usize::from(*length);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_segment_has_its_deepest_sounding() {
        assert_eq!(deepest(b"S\x03\x05\x09\x02\x04\x01"), [9, 4]);
    }
}
