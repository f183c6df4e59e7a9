//! The watch bill: after `W`, pairs of the hours at which a watch begins and ends.
//!
//! Two defects, equally near: whoever stops at the first crash never sees the second.

/// What the watches of a bill amount to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Watches {
    /// Hours on watch.
    pub hours: u32,
    /// Bells struck when the watches ended.
    pub bells: u32,
}

/// Bells struck at each hour of the day.
const BELLS: [u8; 24] = [8, 2, 4, 6, 8, 2, 4, 6, 8, 2, 4, 6, 8, 2, 4, 6, 8, 2, 4, 6, 8, 2, 4, 6];

/// Adds up a watch bill; `None` if it isn't one.
pub fn add_up(bill: &[u8]) -> Option<Watches> {
    let mut watches = Watches::default();
    for watch in bill.strip_prefix(b"W")?.chunks_exact(2) {
        let (begin, end) = (watch[0], watch[1]);
        watches.hours += u32::from(hours(begin, end));
        watches.bells += u32::from(bells(end));
    }
    Some(watches)
}

#[inline(never)]
fn hours(begin: u8, end: u8) -> u8 {
    // DEFECT watch-over-midnight: a watch from 22 to 2 "lasts" -20 hours.
    end - begin
}

#[inline(never)]
fn bells(hour: u8) -> u8 {
    // DEFECT hour-beyond-day: nobody made sure that the hour is below 24.
    BELLS[usize::from(hour)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_bells_of_all_watches_are_added() {
        assert_eq!(add_up(b"W\x08\x0c\x10\x13"), Some(Watches { hours: 7, bells: 14 }));
        assert_eq!(add_up(b"X\x08\x0c"), None);
    }
}
