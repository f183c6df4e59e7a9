//! C and C++ programs that end themselves: assertions, glibc's heap checks, uncaught exceptions, fatal log lines.

use super::report::{Event, Report, Standing};
use super::scan;
use crate::crash::{CrashKind, Location};

/// glibc's own words when it finds its heap or stack broken.
const GLIBC: [(&str, CrashKind); 14] = [
    ("double free or corruption", CrashKind::DoubleFree),
    ("free(): double free detected", CrashKind::DoubleFree),
    ("free(): invalid pointer", CrashKind::BadFree),
    ("munmap_chunk(): invalid pointer", CrashKind::BadFree),
    ("realloc(): invalid pointer", CrashKind::BadFree),
    ("free(): ", CrashKind::HeapCorruption),
    ("malloc(): ", CrashKind::HeapCorruption),
    ("realloc(): ", CrashKind::HeapCorruption),
    ("calloc(): ", CrashKind::HeapCorruption),
    ("malloc_consolidate(): ", CrashKind::HeapCorruption),
    ("corrupted size vs. prev_size", CrashKind::HeapCorruption),
    ("corrupted double-linked list", CrashKind::HeapCorruption),
    ("*** stack smashing detected ***", CrashKind::StackBufferOverflow),
    ("*** buffer overflow detected ***", CrashKind::BufferOverflow),
];

/// Lines that begin with a tool's own words.
pub(super) fn line(text: &str) -> Option<Event> {
    let glibc = text
        .strip_prefix("*** Error in `")
        .and_then(|rest| rest.split_once("': "))
        .map_or(text, |(_, rest)| rest);
    if let Some((_, kind)) = GLIBC.iter().find(|(words, _)| glibc.starts_with(words)) {
        return Some(Report::new(*kind, "glibc").message(glibc).event());
    }
    let uncaught = [
        "terminate called after throwing an instance of ",
        "libc++abi: terminating with uncaught exception of type ",
        "libc++abi: terminating due to uncaught exception of type ",
        "libc++abi.dylib: terminating with uncaught exception of type ",
    ];
    if let Some(rest) = uncaught.iter().find_map(|words| text.strip_prefix(words)) {
        return Some(
            Report::new(CrashKind::UncaughtException, "c++").message(rest.trim_matches('\'')).event(),
        );
    }
    if let Some(what) = text.strip_prefix("what():") {
        return Some(Event::Message(what.trim().to_owned()));
    }
    if text.starts_with("terminate called") || text.starts_with("libc++abi: terminating") {
        return Some(Report::new(CrashKind::Abort, "c++").message(text).event());
    }
    if let Some(reason) = text.strip_prefix("LLVM ERROR: ") {
        return Some(Report::new(CrashKind::FatalError, "llvm").message(reason).event());
    }
    if let Some(reason) = text.strip_prefix("===BUG DETECTED: ") {
        return Some(
            Report::new(CrashKind::SecurityIssue, "SystemSan").message(reason.trim_end_matches('=')).event(),
        );
    }
    let by_shell = [
        ("Segmentation fault", CrashKind::Segv),
        ("Aborted", CrashKind::Abort),
        ("Illegal instruction", CrashKind::IllegalInstruction),
        ("Bus error", CrashKind::Bus),
        ("Floating point exception", CrashKind::FloatingPointException),
    ];
    let (_, kind) = by_shell.iter().find(|(words, _)| {
        text.strip_prefix(words).is_some_and(|rest| matches!(rest, "" | " (core dumped)"))
    })?;
    Some(Report::new(*kind, "signal").standing(Standing::Aftermath).event())
}

/// `prog: file.c:12: f: Assertion `x' failed.` and the spellings of other libraries; `text` contains `ssertion`.
pub(super) fn assertion(text: &str) -> Option<Event> {
    if let Some(at) = text.find(": Assertion `").or_else(|| text.find(": Assertion '")) {
        let condition =
            text[at + ": Assertion `".len()..].rsplit_once(" failed").map(|(condition, _)| condition)?;
        let report = Report::new(CrashKind::AssertionFailure, "assert")
            .message(condition.trim_end_matches(['\'', '`']));
        return Some(
            glibc_place(&text[..at])
                .map_or_else(|| report_event(text, None), |place| report.location(place).event()),
        );
    }
    if let Some((before, condition)) = text.split_once(": assertion failed: ") {
        // GLib: `ERROR:file.c:12:function: assertion failed: (x)`.
        let place = before.rsplit_once("ERROR:").map(|(_, place)| place)?;
        let place = place.rsplit_once(':').map_or(place, |(place, _function)| place);
        let report = Report::new(CrashKind::AssertionFailure, "glib").message(condition);
        return Some(report.location(scan::location(place)).event());
    }
    let rest = text
        .strip_prefix("Assertion failed: ")
        .or_else(|| text.strip_prefix("assertion failed: "))
        .or_else(|| text.strip_prefix("Assertion failed at "))?;
    report_event(text, Some(rest)).into()
}

fn report_event(text: &str, condition: Option<&str>) -> Event {
    let condition = condition.unwrap_or(text);
    let cut = condition.find(", function ").or_else(|| condition.find(", file ")).unwrap_or(condition.len());
    Report::new(CrashKind::AssertionFailure, "assert").message(&condition[..cut]).event()
}

/// `prog: file.c:12: int f(int)` → the place.
fn glibc_place(before: &str) -> Option<Location> {
    before.split(": ").map(str::trim).find(|part| scan::ends_with_line(part)).map(scan::location)
}

/// `Check failed: x`, in Chromium's, glog's and abseil's log lines; `text` contains `heck failed`.
pub(super) fn check_failure(text: &str) -> Option<Event> {
    let (before, condition) =
        text.split_once("Check failed: ").or_else(|| text.split_once("CHECK failed: "))?;
    if before.contains("Sanitizer") {
        return None;
    }
    let condition = condition.split(". ").next().unwrap_or(condition).trim_end_matches('.');
    let report = Report::new(CrashKind::AssertionFailure, "check").message(condition);
    Some(log_place(before).map_or(report_without_place(condition), |place| report.location(place).event()))
}

fn report_without_place(condition: &str) -> Event {
    Report::new(CrashKind::AssertionFailure, "check").message(condition).event()
}

/// A fatal log line without a condition: Chromium's `[..:FATAL:file.cc(12)] why`.
pub(super) fn fatal_log(text: &str) -> Option<Event> {
    let at = text.find(":FATAL:")?;
    let (place, why) = text[at + ":FATAL:".len()..].split_once(")] ")?;
    let (file, line) = place.split_once('(')?;
    let location = Location { file: file.to_owned(), line: line.parse().ok(), column: None };
    Some(Report::new(CrashKind::AssertionFailure, "check").message(why).location(location).event())
}

/// `[1:2:0101/0000.1:FATAL:file.cc(12)] ` or `F0101 00:00:00.0 12 file.cc:12] `.
fn log_place(before: &str) -> Option<Location> {
    let before = before.trim_end().trim_end_matches(']');
    if let Some(before) = before.strip_suffix(')') {
        let (file, line) = before.rsplit_once('(')?;
        let file = file.rsplit(':').next().unwrap_or(file);
        return Some(Location { file: file.to_owned(), line: line.parse().ok(), column: None });
    }
    let place = before.rsplit(' ').next()?;
    scan::ends_with_line(place).then(|| scan::location(place))
}
