//! Valgrind's memcheck: `==pid== what` and frames `at 0x..: f (file.c:1)`, `by 0x..: g (in /lib/l.so)`.

use super::report::{Event, Report, Standing, Style};
use super::{scan, stack_line};
use crate::crash::{Access, AccessMode, CrashKind, StackRole};
use crate::frame::Frame;

/// What a `==pid==` line's rest means.
pub(super) fn pid_line(text: &str) -> Option<Event> {
    let text = text.trim();
    if let Some(frame) = frame(text) {
        return Some(Event::Frame(None, frame));
    }
    if text.starts_with("Address 0x") || text.starts_with("Block was alloc'd") {
        return block_line(text);
    }
    let (kind, access) = kind_of(text)?;
    let mut report =
        Report::new(kind, "valgrind").message(text).style(Style::Valgrind).standing(Standing::Warning);
    report.crash.access = access;
    Some(report.event())
}

fn kind_of(text: &str) -> Option<(CrashKind, Option<Access>)> {
    let sized = |mode, rest: &str| {
        Some(Access { mode, size: scan::decimal(rest).map(|(size, _)| size), address: None })
    };
    if let Some(rest) = text.strip_prefix("Invalid read of size ") {
        return Some((CrashKind::UnknownCrash, sized(AccessMode::Read, rest)));
    }
    if let Some(rest) = text.strip_prefix("Invalid write of size ") {
        return Some((CrashKind::UnknownCrash, sized(AccessMode::Write, rest)));
    }
    let kind = if text.starts_with("Conditional jump or move depends on uninit")
        || text.starts_with("Use of uninitialised value")
        || text.starts_with("Syscall param ")
    {
        CrashKind::UseOfUninitializedValue
    } else if text.starts_with("Invalid free()") {
        CrashKind::BadFree
    } else if text.starts_with("Mismatched free()") {
        CrashKind::AllocDeallocMismatch
    } else if text.starts_with("Source and destination overlap") {
        CrashKind::ParamOverlap
    } else if text.starts_with("Argument '") && text.contains("fishy") {
        CrashKind::NegativeSizeParam
    } else if text.starts_with("Process terminating with default action of signal 11") {
        CrashKind::Segv
    } else if text.contains(" bytes in ") && text.contains(" lost in loss record") {
        CrashKind::Leak
    } else {
        return None;
    };
    Some((kind, None))
}

fn block_line(text: &str) -> Option<Event> {
    let role = if text.contains("free'd") && !text.contains("(recently)") {
        StackRole::Deallocation
    } else if text.contains("alloc'd") && !text.contains("(recently)") {
        StackRole::Allocation
    } else {
        return scan::first_hex(text)
            .map(|address| Event::Access(Access { address: Some(address), ..Access::default() }));
    };
    Some(Event::Stack(role, Style::Valgrind))
}

fn frame(text: &str) -> Option<Frame> {
    let rest = text.strip_prefix("at ").or_else(|| text.strip_prefix("by "))?;
    let (address, rest) = scan::hex(rest)?;
    let rest = rest.strip_prefix(": ")?;
    let mut frame = Frame { address: Some(address), ..Frame::default() };
    let (symbol, place) = rest.rsplit_once(" (").unwrap_or((rest, ""));
    stack_line::set_function(&mut frame, symbol.trim_start_matches("???"));
    let place = place.trim_end_matches(')');
    match place.strip_prefix("in ") {
        Some(module) => frame.module = Some(module.to_owned()),
        None => stack_line::set_place(&mut frame, place),
    }
    Some(frame)
}
