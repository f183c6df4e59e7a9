//! Checks that a C or C++ program makes itself: assertions, `CHECK`s and fatal log lines, in the spelling of each library.

use super::report::{Event, MessageStyle, Report};
use super::scan;
use crate::crash::{CrashKind, Location};

/// A line with `ssertion` or `SSERTION` in it.
pub(super) fn assertion(text: &str) -> Option<Event> {
    glibc(text)
        .or_else(|| glib(text))
        .or_else(|| libcxx(text))
        .or_else(|| google_assert(text))
        .or_else(|| leading(text))
}

/// `prog: file.c:12: f: Assertion `x' failed.`
fn glibc(text: &str) -> Option<Event> {
    let at = text.find(": Assertion `").or_else(|| text.find(": Assertion '"))?;
    let (condition, _) = text[at + ": Assertion `".len()..].rsplit_once(" failed")?;
    let place = text[..at].split(": ").map(str::trim).find(|part| scan::ends_with_line(part));
    Some(failed(condition.trim_end_matches(['\'', '`']), place.map(scan::location)))
}

/// `GLib:ERROR:file.c:12:f: assertion failed: (x)`.
fn glib(text: &str) -> Option<Event> {
    let (before, condition) = text.split_once(": assertion failed: ")?;
    let (_, place) = before.rsplit_once("ERROR:")?;
    let place = place.rsplit_once(':').map_or(place, |(place, _function)| place);
    Some(failed(condition, Some(scan::location(place))))
}

/// libc++'s hardened mode: `vector:559: assertion !full() failed: why`.
fn libcxx(text: &str) -> Option<Event> {
    let (place, rest) = text.split_once(": assertion ").or_else(|| text.split_once(":assertion "))?;
    let (condition, why) = rest.split_once(" failed: ").or_else(|| rest.split_once(" failed"))?;
    if !scan::ends_with_line(place) || place.contains(": ") {
        return None;
    }
    let words = if why.is_empty() { condition } else { why };
    let words = words.split("AddressSanitizer:").next().unwrap_or(words);
    Some(failed(words, Some(scan::location(place))))
}

/// `assert.h assertion failed at file.cc:1 in f: x`.
fn google_assert(text: &str) -> Option<Event> {
    let (_, rest) = text.split_once("assertion failed at ")?;
    let (place, condition) = rest.split_once(": ")?;
    let place = place.split(" in ").next().unwrap_or(place);
    Some(failed(condition, Some(scan::location(place))))
}

/// Spellings that begin the line: BSD and MSVC, Mozilla, WebKit.
fn leading(text: &str) -> Option<Event> {
    const STARTS: [&str; 5] = [
        "Assertion failed: ",
        "Assertion failed! ",
        "assertion failed: ",
        "Assertion failure: ",
        "ASSERTION FAILED: ",
    ];
    let condition = STARTS.iter().find_map(|start| text.strip_prefix(start))?;
    let place =
        condition.rsplit_once(", at ").map(|(_, place)| place).filter(|place| scan::ends_with_line(place));
    let cut = [", function ", ", file ", ", at "].iter().filter_map(|words| condition.find(words)).min();
    Some(failed(&condition[..cut.unwrap_or(condition.len())], place.map(scan::location)))
}

fn failed(condition: &str, location: Option<Location>) -> Event {
    let mut report = Report::new(CrashKind::AssertionFailure, "assertion").message(condition);
    report.crash.location = location;
    report.event()
}

/// A log line with `heck failed: ` or `:FATAL:` in it, or in glog's form.
pub(super) fn fatal_log(text: &str) -> Option<Event> {
    let (place, words) = chromium(text).or_else(|| glog(text)).or_else(|| android(text)).or_else(|| {
        let at = text.find("heck failed: ").or_else(|| text.find("HECK failed: "))?;
        let before = &text[..at];
        (!before.contains("Sanitizer")).then(|| (None, &text[at.saturating_sub(1)..]))
    })?;
    Some(by_words(words, place))
}

/// What failed, from the words of the log line; what follows the first sentence is values.
fn by_words(words: &str, place: Option<Location>) -> Event {
    const FAILED: [&str; 7] = [
        "Check failed: ",
        "CHECK failed: ",
        "DCHECK failed: ",
        "Security DCHECK failed: ",
        "Security CHECK failed: ",
        "Assert failed: ",
        "NOTREACHED hit. ",
    ];
    let condition = FAILED.iter().find_map(|start| words.find(start).map(|at| &words[at + start.len()..]));
    let is_check = condition.is_some() || words.starts_with(['(', '_']);
    let kind = if is_check { CrashKind::AssertionFailure } else { CrashKind::FatalError };
    let words = condition.unwrap_or(words);
    let words = words.split(". ").next().unwrap_or(words).trim_end_matches('.');
    let mut report = Report::new(kind, "check").message(words);
    report.crash.location = place;
    report.event()
}

/// `[1:2:0101/0000.1:FATAL:file.cc(12)] why` and the newer `FATAL:path/file.cc:12] why`.
fn chromium(text: &str) -> Option<(Option<Location>, &str)> {
    let at = text.find(":FATAL:")?;
    let (place, words) = text[at + ":FATAL:".len()..].split_once("] ")?;
    let location = match place.strip_suffix(')').and_then(|place| place.split_once('(')) {
        Some((file, line)) => Location { file: file.to_owned(), line: line.parse().ok(), column: None },
        None => scan::location(place),
    };
    Some((Some(location), words))
}

/// `F0812 21:22:15.159294   61315 file.cc:89] why`.
pub(super) fn glog(text: &str) -> Option<(Option<Location>, &str)> {
    let digits = text.strip_prefix('F')?.as_bytes();
    if digits.len() < 5 || !digits[..4].iter().all(u8::is_ascii_digit) || digits[4] != b' ' {
        return None;
    }
    let (head, words) = text.split_once("] ")?;
    let place = head.rsplit(' ').next()?;
    scan::ends_with_line(place).then(|| (Some(scan::location(place)), words))
}

/// `file.cpp:3600 CHECK(x) failed.`
fn android(text: &str) -> Option<(Option<Location>, &str)> {
    let (place, words) = text.split_once(" CHECK")?;
    let is_check = words.starts_with(['(', '_']) && words.contains(" failed");
    (is_check && scan::ends_with_line(place)).then(|| (Some(scan::location(place)), words))
}

/// V8: `# Fatal error in file.cc, line 12`, with the reason on the next line.
pub(super) fn v8(text: &str) -> Option<Event> {
    let rest = text.strip_prefix("# ")?;
    if let Some(place) = rest.strip_prefix("Fatal error in ") {
        let mut report = Report::new(CrashKind::FatalError, "v8").style(super::report::Style::Numbered);
        let (file, line) = place.split_once(", line ").unwrap_or((place, ""));
        report.crash.location =
            Some(Location { file: file.to_owned(), line: line.parse().ok(), column: None });
        report.message = MessageStyle::OneLine;
        return Some(report.event());
    }
    let is_oom = [
        "Fatal process OOM",
        "Fatal process out of memory",
        "Fatal JavaScript out of memory",
        "Fatal javascript OOM",
    ];
    is_oom
        .iter()
        .any(|words| rest.starts_with(words))
        .then(|| Report::new(CrashKind::OutOfMemory, "v8").message(rest).event())
}

/// What V8's reason says about the kind.
pub(super) fn v8_kind(reason: &str) -> CrashKind {
    if reason.contains("heck failed: ") || reason.starts_with("CSA_") {
        CrashKind::AssertionFailure
    } else if reason.starts_with("Fatal process out of memory") {
        CrashKind::OutOfMemory
    } else {
        CrashKind::FatalError
    }
}

/// `abort: CSA_ASSERT failed: x [file.cc:1]`, and spdlog's `[critical][assert] file.cc:259] assert failure: x`.
pub(super) fn critical(text: &str) -> Option<Event> {
    if let Some(rest) = text.strip_prefix("abort: ") {
        return rest
            .contains("SSERT failed: ")
            .then(|| failed(rest.split(" [").next().unwrap_or(rest), None));
    }
    let (_, rest) = text.split_once("[critical]")?;
    let (place, words) = rest.split_once("] ").and_then(|(head, rest)| {
        if scan::ends_with_line(head) { Some((head, rest)) } else { rest.split_once("] ") }
    })?;
    let place = place.rsplit([' ', '[']).next().unwrap_or(place);
    let condition = words.strip_prefix("assert failure: ").or_else(|| words.strip_prefix("panic: "))?;
    Some(failed(condition, scan::ends_with_line(place).then(|| scan::location(place))))
}
