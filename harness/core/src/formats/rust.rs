//! Rust: panics in every header since 1.0, backtraces short and full, stack overflow and allocation failure.
//!
//! Headers, oldest first: `thread '<main>' panicked at 'why', src/main.rs:2` (1.0), with a column (1.26), with the message on the
//! next line (1.73), with a thread id `thread 'main' (1234) panicked at src/main.rs:2:5:` (1.91).

use super::report::{Event, MessageStyle, Report, Standing, Style};
use super::{scan, stack_line};
use crate::crash::{CrashKind, Location};
use crate::frame::Frame;

/// A line that starts with `thread '` at its left edge, or after a logger's prefix.
pub(super) fn thread_line(text: &str) -> Option<Event> {
    let rest = text.strip_prefix("thread '").or_else(|| text.strip_prefix("thread "))?;
    if let Some(at) = rest.find(" panicked at ") {
        let has_thread_id = rest[..at].ends_with(')') && rest[..at].contains("' (");
        return Some(panic_header(&rest[at + " panicked at ".len()..], has_thread_id));
    }
    if rest.contains(" has overflowed its stack") {
        return Some(Report::new(CrashKind::StackOverflow, "rust").message("stack overflow").event());
    }
    rest.contains(" panicked while processing panic").then(|| aftermath("panicked while processing panic"))
}

fn panic_header(rest: &str, has_thread_id: bool) -> Event {
    let mut report = Report::new(CrashKind::Panic, "rust").style(Style::Rust);
    report.has_thread_id = has_thread_id;
    let Some(quoted) = rest.strip_prefix('\'') else {
        // `src/lib.rs:9:93:`, or the old hook's `src/lib.rs:9:93` and no message for a payload of no known type.
        let place = rest.trim_end().strip_suffix(':');
        let is_place = scan::ends_with_line(place.unwrap_or(rest));
        let mut report = if is_place {
            report.location(scan::location(place.unwrap_or(rest).trim()))
        } else {
            report.message(rest)
        };
        if !is_place {
            report.standing = Standing::Weak;
        }
        report.message = if place.is_some() { MessageStyle::Follows } else { MessageStyle::Whole };
        if let Some(location) = &report.crash.location
            && is_secondary_place(&location.file)
        {
            report.standing = Standing::Aftermath;
        }
        return report.event();
    };
    if let Some((message, location)) = split_quoted(quoted) {
        return report.message(message).location(location).event();
    }
    let mut report = report.message(quoted);
    report.message = MessageStyle::Quoted;
    report.event()
}

/// A panic raised by the panic machinery itself: in a destructor while unwinding, or through `extern "C"`.
fn is_secondary_place(file: &str) -> bool {
    file.ends_with("library/core/src/panicking.rs") || file.ends_with("library/std/src/panicking.rs")
}

/// `why', src/main.rs:2:5` → message and place.
pub(super) fn split_quoted(text: &str) -> Option<(&str, Location)> {
    let at = text.rfind("', ")?;
    let place = text[at + 3..].trim_end();
    (scan::ends_with_line(place) && !place.contains(' ')).then(|| (&text[..at], scan::location(place)))
}

/// Lines that end a message that [`MessageStyle::Follows`].
pub(super) fn ends_message(text: &str) -> bool {
    text.starts_with("stack backtrace:")
        || text.starts_with("note: ")
        || text.starts_with("==")
        || text.starts_with("thread '")
        || text.starts_with("AddressSanitizer:")
        || text.starts_with("MS: ")
        || text.starts_with("SUMMARY: ")
        || text.starts_with("test ")
        || text.starts_with("fatal runtime error: ")
        || text.starts_with("Aborted")
        || text.starts_with("UndefinedBehaviorSanitizer:")
}

/// Whether a message says only that another thread, or an earlier panic, failed.
pub(super) fn is_secondary_message(message: &str) -> bool {
    message.starts_with("panic in a function that cannot unwind")
        || message.starts_with("panic in a destructor during cleanup")
        || message.contains("Any { .. }")
        || message.contains("PoisonError")
        || message.contains("a scoped thread panicked")
}

/// Lines of the runtime that stand alone.
pub(super) fn runtime_line(text: &str) -> Option<Event> {
    if text.starts_with("memory allocation of ") && text.contains(" bytes failed") {
        return Some(Report::new(CrashKind::OutOfMemory, "rust").message(text).style(Style::Rust).event());
    }
    if let Some(reason) = text.strip_prefix("fatal runtime error: ") {
        let kind =
            if reason.starts_with("stack overflow") { CrashKind::StackOverflow } else { CrashKind::Abort };
        let standing = if kind == CrashKind::StackOverflow { Standing::Fatal } else { Standing::Aftermath };
        return Some(Report::new(kind, "rust").message(reason).standing(standing).event());
    }
    text.starts_with("stack backtrace:").then_some(Event::Stack(crate::crash::StackRole::Crash, Style::Rust))
}

fn aftermath(message: &str) -> Event {
    Report::new(CrashKind::Abort, "rust").message(message).standing(Standing::Aftermath).event()
}

/// `   3: f`, `   3:     0x55.. - f`, `             at /p/f.rs:1:2`.
pub(super) fn frame(text: &str) -> Option<Event> {
    if let Some(place) = text.strip_prefix("at ") {
        return Some(Event::At(scan::location(place.trim())));
    }
    if let Some(name) = text.strip_prefix("- ") {
        return Some(Event::Frame(None, named(name, None)));
    }
    let (number, rest) = scan::decimal(text)?;
    let rest = rest.strip_prefix(':')?.trim_start();
    let (address, name) = match scan::hex(rest) {
        Some((address, after)) => {
            (Some(address), after.trim_start().strip_prefix("- ").unwrap_or(after.trim_start()))
        }
        None => (None, rest),
    };
    Some(Event::Frame(Some(number), named(name, address)))
}

fn named(name: &str, address: Option<u64>) -> Frame {
    let mut frame = Frame { address, ..Frame::default() };
    stack_line::set_function(&mut frame, name);
    frame
}
