//! C and C++ runtimes: glibc's heap checks, uncaught exceptions, and what a shell says of a signal.

use super::report::{Event, Report, Standing};
use crate::crash::CrashKind;

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
    // Most lines begin like none of these.
    if !matches!(
        text.as_bytes().first()?,
        b'*' | b'=' | b'A'..=b'L' | b'S' | b'c' | b'd' | b'f' | b'l' | b'm' | b'r' | b't' | b'w'
    ) {
        return None;
    }
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
