//! Crash logs: the text of a dozen tools, read in one pass into [`Crash`]es.
//!
//! Reading order: [`parse_log`] and [`LogScanner`] (any size, bounded memory), `scanner` (reports, stacks, who follows whom),
//! then one file per family: `sanitizer`, `undefined`, `libfuzzer`, `rust`, `native` (libc, C++), `checks` (asserts, logs), `go`, `python`, `jvm`
//! (Java and JavaScript), `gdb`, `valgrind`; `stack_line` reads the frames that most of them share.
//! A log is a stranger's text: nothing in it is trusted, no path in it is opened, and no line can make reading it slow.

use crate::crash::Crash;

mod checks;
mod gdb;
mod go;
mod jvm;
mod libfuzzer;
mod native;
mod open;
mod python;
mod report;
mod rust;
mod sanitizer;
mod scan;
mod scanner;
mod stack_line;
mod undefined;
mod valgrind;

pub use scanner::LogScanner;

/// What a log says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParsedLog {
    /// Every report, most significant first.
    pub crashes: Vec<Crash>,
    /// How many lines were read.
    pub n_lines: u64,
    /// Reports that were seen but not kept, because there were too many.
    pub n_dropped: u64,
}

impl ParsedLog {
    /// The report that says why the process ended.
    pub fn first(&self) -> Option<&Crash> {
        self.crashes.first()
    }
}

/// Reads a whole log. Never panics, takes linear time, whatever the bytes.
pub fn parse_log(log: &[u8]) -> ParsedLog {
    let mut scanner = LogScanner::new();
    scanner.feed(log);
    scanner.finish()
}

/// Reads one frame line of a sanitizer, gdb or TSan stack, as a check for other crates' own parsers.
pub fn parse_frame_line(line: &str) -> Option<crate::frame::Frame> {
    stack_line::numbered_frame(line.trim()).map(|(_, frame)| frame)
}

#[cfg(test)]
mod tests;
