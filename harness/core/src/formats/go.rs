//! Go: panics, fatal errors and data races, with goroutine stacks.

use super::report::{Event, Report, Standing, Style};
use super::scan;
use crate::crash::{Access, AccessMode, CrashKind, StackRole};
use crate::frame::Frame;

/// Lines that begin a report or a stack, at the left edge.
pub(super) fn line(text: &str) -> Option<Event> {
    if let Some(why) = text.strip_prefix("panic: ") {
        return Some(
            Report::new(CrashKind::Panic, "go")
                .message(why.trim_end_matches(" [recovered]"))
                .style(Style::Go)
                .event(),
        );
    }
    if let Some(why) = text.strip_prefix("fatal error: ") {
        return Some(Report::new(fatal_kind(why), "go").message(why).style(Style::Go).event());
    }
    if text.starts_with("WARNING: DATA RACE") {
        let report = Report::new(CrashKind::DataRace, "go").message("data race").style(Style::Go);
        return Some(report.standing(Standing::Warning).event());
    }
    if text.starts_with("goroutine ") && text.ends_with(':') {
        let role = if text.contains("[running") { StackRole::Crash } else { StackRole::OtherThread };
        return Some(Event::Stack(role, Style::Go));
    }
    text.starts_with("[signal SIG").then(|| Event::Access(signal_access(text)))
}

fn fatal_kind(why: &str) -> CrashKind {
    if why.contains("stack overflow") {
        CrashKind::StackOverflow
    } else if why.contains("out of memory") {
        CrashKind::OutOfMemory
    } else if why.contains("deadlock") {
        CrashKind::LockOrderInversion
    } else if why.contains("concurrent map") {
        CrashKind::DataRace
    } else {
        CrashKind::FatalError
    }
}

/// `[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x45..]`.
fn signal_access(text: &str) -> Access {
    let address = text.split_once("addr=").and_then(|(_, rest)| scan::hex(rest)).map(|(address, _)| address);
    Access { mode: AccessMode::Unknown, size: None, address }
}

/// Inside a stack: race titles, functions, places.
pub(super) fn stack_line(text: &str, indent: usize) -> Option<Event> {
    if let Some(place) = text.split_once(".go:").map(|_| text) {
        return Some(Event::At(scan::location(place.split(" +0x").next().unwrap_or(place).trim())));
    }
    if indent <= 2
        && text.ends_with(':')
        && (text.contains(" by goroutine ") || text.contains(" by main goroutine"))
    {
        if text.starts_with("Previous ") {
            return Some(Event::Stack(StackRole::OtherThread, Style::Go));
        }
        let mode = if text.starts_with("Read") { AccessMode::Read } else { AccessMode::Write };
        return Some(Event::Access(Access { mode, size: None, address: scan::first_hex(text) }));
    }
    if text.starts_with("Goroutine ") || text.starts_with("created by ") {
        return Some(Event::Stack(StackRole::ThreadCreation, Style::Go));
    }
    function(text).map(|name| Event::Frame(None, Frame::of_function(name)))
}

/// `regexp.(*Regexp).Split(0x1, {0x2, 0x3})` → the name: the arguments are the last balanced parentheses.
fn function(text: &str) -> Option<&str> {
    let inner = text.strip_suffix(')')?;
    let mut depth = 1_u32;
    for (at, byte) in inner.bytes().enumerate().rev() {
        match byte {
            b')' => depth += 1,
            b'(' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let name = &inner[..at];
            return (!name.is_empty() && !name.contains(' ')).then_some(name);
        }
    }
    None
}
