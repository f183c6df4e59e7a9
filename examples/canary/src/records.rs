//! The log book: records of a tag, a length and a payload, after the two bytes `L1`.
//!
//! Two shallow defects in one parser: whoever stops at the first crash sees the other one late.

/// What the log book adds up to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many records were read.
    pub records: usize,
    /// Hours on watch, over all `w` records.
    pub hours: u8,
    /// Whether every `c` record's checksum was right.
    pub intact: bool,
}

/// Reads a log book; `None` if it isn't one or ends within a record.
pub fn summarize(log_book: &[u8]) -> Option<Summary> {
    let mut rest = log_book.strip_prefix(b"L1")?;
    let mut summary = Summary { intact: true, ..Summary::default() };
    while let [tag, length, tail @ ..] = rest {
        let (payload, next) = tail.split_at_checked(usize::from(*length))?;
        match tag {
            b'w' => summary.hours = summary.hours.saturating_add(watch_hours(payload)),
            b'c' => summary.intact &= checksum_matches(payload, next),
            _ => {}
        }
        summary.records += 1;
        rest = next;
    }
    Some(summary)
}

/// A watch is the hours at which it began and ended; anything else in a `w` record is not counted.
fn watch_hours(watch: &[u8]) -> u8 {
    match watch {
        // DEFECT watch-over-midnight: a watch from 22 to 2 "lasts" -20 hours.
        [from @ 0..24, to @ 0..24] => to - from,
        _ => 0,
    }
}

fn checksum_matches(payload: &[u8], next: &[u8]) -> bool {
    let sum = payload.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    // DEFECT missing-checksum: the checksum stands behind the payload, unless the file ends there.
    sum == next[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hours_of_all_watches_are_added() {
        let summary = summarize(b"L1w\x02\x04\x08x\x00w\x02\x08\x14").unwrap();
        assert_eq!(summary, Summary { records: 3, hours: 16, intact: true });
    }

    #[test]
    fn a_truncated_record_is_refused() {
        assert_eq!(summarize(b"L1w\x09abc"), None);
    }
}
