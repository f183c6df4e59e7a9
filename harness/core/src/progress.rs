//! What libFuzzer says while it fuzzes: its status lines and final statistics.
//!
//! The form is that of LLVM's `FuzzerLoop.cpp`, `PrintStats` and `PrintFinalStats`:
//! `#1024 NEW    cov: 12 ft: 15 corp: 3/9b lim: 4 exec/s: 512 rss: 40Mb L: 4/4 MS: 1 ChangeBit-` and
//! `stat::number_of_executed_units: 1024`.

use serde::{Deserialize, Serialize};

/// One status line. Values that the line does not carry are zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Executions of this process so far.
    pub executions: u64,
    /// Covered edges.
    pub coverage: u64,
    /// Covered features: edges with their hit counts, and comparisons.
    pub features: u64,
    /// Inputs in the corpus.
    pub corpus_inputs: u64,
    /// Executions a second since the process started, as libFuzzer rounds them.
    pub executions_per_second: u64,
    /// Whether the corpus has been loaded and fuzzing proper has begun.
    pub is_past_loading: bool,
}

/// Reads a status line; `None` for any other line.
pub fn parse_status(line: &[u8]) -> Option<Status> {
    let text = std::str::from_utf8(line.strip_prefix(b"#")?).ok()?;
    let mut words = text.split_ascii_whitespace();
    let executions = words.next()?.parse().ok()?;
    let event = words.next()?;
    if !event.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let is_past_loading = event != "READ";
    let mut status = Status { executions, is_past_loading, ..Status::default() };
    while let Some(word) = words.next() {
        let Some(name) = word.strip_suffix(':') else { continue };
        let Some(value) = words.next() else { break };
        match name {
            "cov" => status.coverage = value.parse().ok()?,
            "ft" => status.features = value.parse().ok()?,
            "corp" => status.corpus_inputs = value.split('/').next()?.parse().ok()?,
            "exec/s" => status.executions_per_second = value.parse().ok()?,
            // `MS:` begins the mutations, which are words of another kind.
            "MS" => break,
            _ => {}
        }
    }
    Some(status)
}

/// Reads the number of executions from the final statistics; `None` for any other line.
pub fn parse_final_executions(line: &[u8]) -> Option<u64> {
    let value = line.strip_prefix(b"stat::number_of_executed_units:")?;
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_line_is_read() {
        let line = b"#4096\tNEW    cov: 312 ft: 515 corp: 37/1033b lim: 43 exec/s: 2048 rss: 63Mb L: 38/43 MS: 2 A-B-";
        let expected = Status {
            executions: 4096,
            coverage: 312,
            features: 515,
            corpus_inputs: 37,
            executions_per_second: 2048,
            is_past_loading: true,
        };
        assert_eq!(parse_status(line), Some(expected));
    }

    #[test]
    fn a_line_without_coverage_still_counts_executions() {
        let pulse = parse_status(b"#2\tINITED exec/s: 0 rss: 27Mb").unwrap();
        assert_eq!((pulse.executions, pulse.coverage, pulse.is_past_loading), (2, 0, true));
        assert!(!parse_status(b"#64\tREAD units: 64 exec/s: 0 rss: 27Mb").unwrap().is_past_loading);
    }

    #[test]
    fn frames_and_other_words_are_no_status() {
        for line in ["    #0 0x55 in f /x.rs:1", "#0 0x55e in f", "#", "#x NEW", "INFO: Seed: 1", "#12"] {
            assert_eq!(parse_status(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn the_final_count_is_read() {
        assert_eq!(parse_final_executions(b"stat::number_of_executed_units: 65536"), Some(65536));
        assert_eq!(parse_final_executions(b"stat::new_units_added: 3"), None);
    }
}
