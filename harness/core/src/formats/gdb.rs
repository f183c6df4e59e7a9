//! gdb in batch mode: the signal's line; its frames are numbered like a sanitizer's.

use super::report::{Event, Report, Standing};
use crate::crash::CrashKind;

/// `Program received signal SIGSEGV, ..`, `Program terminated with signal 6, ..`, `Thread 2 "x" received signal ..`.
pub(super) fn line(text: &str) -> Option<Event> {
    if !text.starts_with("Program ") && !text.starts_with("Thread ") {
        return None;
    }
    let (_, signal) =
        text.split_once(" received signal ").or_else(|| text.split_once(" terminated with signal "))?;
    let name = signal.split([',', '.', ' ']).next().unwrap_or(signal);
    let kind = kind_of(name)?;
    // What a program said before it aborted says more.
    let standing = if kind == CrashKind::Abort { Standing::Aftermath } else { Standing::Fatal };
    Some(Report::new(kind, "gdb").message(text).standing(standing).event())
}

fn kind_of(signal: &str) -> Option<CrashKind> {
    match signal {
        "SIGSEGV" | "11" => Some(CrashKind::Segv),
        "SIGBUS" | "7" => Some(CrashKind::Bus),
        "SIGFPE" | "8" => Some(CrashKind::FloatingPointException),
        "SIGILL" | "4" => Some(CrashKind::IllegalInstruction),
        "SIGTRAP" | "5" => Some(CrashKind::Trap),
        "SIGABRT" | "6" => Some(CrashKind::Abort),
        _ => None,
    }
}
