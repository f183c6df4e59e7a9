//! Java and JavaScript (Jazzer, Node, Android): exceptions and `at` frames.

use super::report::{Event, Report, Standing, Style};
use super::scan;
use crate::crash::CrashKind;
use crate::frame::Frame;

/// Lines that begin a report.
pub(super) fn line(text: &str) -> Option<Event> {
    let why = text
        .strip_prefix("== Java Exception: ")
        .or_else(|| text.strip_prefix("Uncaught Exception: "))
        .or_else(|| {
            text.strip_prefix("Exception in thread ")
                .and_then(|rest| rest.split_once("\" "))
                .map(|(_, why)| why)
        })
        .or_else(|| text.starts_with("FATAL EXCEPTION").then_some(""))?;
    Some(report(why, Standing::Fatal))
}

/// An exception of which only `Type: why` is known.
pub(super) fn report(why: &str, standing: Standing) -> Event {
    Report::new(kind_of(why), "jvm").message(why).style(Style::At).standing(standing).event()
}

fn kind_of(why: &str) -> CrashKind {
    let class = why.split(':').next().unwrap_or(why);
    if class.contains("FuzzerSecurityIssue") {
        CrashKind::SecurityIssue
    } else if class.ends_with("StackOverflowError") || why.contains("Maximum call stack size exceeded") {
        CrashKind::StackOverflow
    } else if class.ends_with("OutOfMemoryError") {
        CrashKind::OutOfMemory
    } else {
        CrashKind::UncaughtException
    }
}

/// Whether a line reads `Type: why` with a type that exceptions have.
pub(super) fn looks_like_exception(text: &str) -> bool {
    let class = text.split(':').next().unwrap_or(text);
    !class.contains(' ')
        && (class.ends_with("Error") || class.ends_with("Exception") || class.contains("FuzzerSecurityIssue"))
}

/// `at f(File.java:1)`, `at f (file.js:1:2)`, `at file.js:1:2`; `text` starts with `at `.
pub(super) fn frame(text: &str) -> Option<Frame> {
    let rest = text.strip_prefix("at ")?.trim_start_matches("async ").trim();
    let mut frame = Frame::default();
    let place = match rest.strip_suffix(')').and_then(|inner| inner.rsplit_once('(')) {
        Some((name, place)) => {
            let name = name.trim().trim_start_matches("new ");
            // A class loader or module before the class: `java.base/java.util.List.get`, `app//a.B.c`.
            let name = name.rsplit('/').next().unwrap_or(name);
            frame.function = (!name.is_empty()).then(|| scan::clipped(name, 1024).to_owned());
            place
        }
        None => rest,
    };
    if place != "Native Method" && place != "Unknown Source" && place != "<anonymous>" {
        let location = scan::location(place);
        frame.file = (location.line.is_some() || location.file.contains('.')).then_some(location.file);
        frame.line = location.line;
        frame.column = location.column;
    }
    (frame.function.is_some() || frame.line.is_some()).then_some(frame)
}
