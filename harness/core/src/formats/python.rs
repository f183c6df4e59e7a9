//! Python: tracebacks, innermost frame last, with the exception before (atheris) or after them.

use super::report::{Event, Report, Style};
use super::scan;
use crate::crash::CrashKind;
use crate::frame::Frame;

/// What begins a traceback. Atheris and ClusterFuzz put a word before it on the same line.
pub(super) const TRACEBACK: &str = "Traceback (most recent call last):";

/// A traceback's beginning.
pub(super) fn traceback() -> Event {
    Report::new(CrashKind::UncaughtException, "python").style(Style::Python).event()
}

/// `File "x.py", line 3, in f`; without `in f` in a syntax error.
pub(super) fn frame(text: &str) -> Option<Frame> {
    let rest = text.strip_prefix("File \"")?;
    let (file, rest) = rest.split_once("\", line ")?;
    let (line, rest) = scan::decimal(rest)?;
    let function = rest.strip_prefix(", in ").map(|name| scan::clipped(name.trim(), 512).to_owned());
    Some(Frame { function, file: Some(file.to_owned()), line: u32::try_from(line).ok(), ..Frame::default() })
}

/// `ValueError: why` at the left edge: the exception's type and words.
pub(super) fn exception(text: &str) -> Option<&str> {
    let name = text.split([':', ' ']).next()?;
    let is_dotted_name = !name.is_empty()
        && name
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
    let last = name.rsplit('.').next()?;
    let is_type = last.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && (name.len() == text.len() || text[name.len()..].starts_with(": "));
    (is_dotted_name && is_type).then_some(text)
}
