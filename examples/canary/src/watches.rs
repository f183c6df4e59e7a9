//! The watch bill: after `W`, pairs of the hours at which a watch begins and ends.

/// The hours of all watches together; `None` if it isn't a watch bill or an hour is none.
pub fn total_hours(bill: &[u8]) -> Option<u32> {
    let mut total = 0;
    for watch in bill.strip_prefix(b"W")?.chunks_exact(2) {
        let (begin, end) = (watch[0], watch[1]);
        if begin >= 24 || end >= 24 {
            return None;
        }
        total += u32::from(hours(begin, end));
    }
    Some(total)
}

#[inline(never)]
fn hours(begin: u8, end: u8) -> u8 {
    // DEFECT watch-over-midnight: a watch from 22 to 2 "lasts" -20 hours.
    end - begin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_of_all_watches_are_added() {
        assert_eq!(total_hours(b"W\x08\x0c\x10\x14"), Some(8));
        assert_eq!(total_hours(b"W\x08\x63"), None);
    }
}
