//! libFuzzer: why it stopped, on which input, and lines that look like a report but are none.

use super::report::{Event, Report, Standing};
use super::scan;
use crate::crash::CrashKind;

/// `ERROR: libFuzzer: ..` after `==pid== `.
pub(super) fn pid_line(text: &str) -> Option<Event> {
    let reason = text.trim_start().strip_prefix("ERROR: libFuzzer: ")?;
    let (kind, standing) = reason_of(reason)?;
    Some(
        Report::new(kind, "libFuzzer")
            .message(&format!("libFuzzer: {}", scan::clipped(reason, 512)))
            .standing(standing)
            .event(),
    )
}

fn reason_of(reason: &str) -> Option<(CrashKind, Standing)> {
    const REASONS: [(&str, CrashKind, Standing); 8] = [
        ("deadly signal", CrashKind::DeadlySignal, Standing::Aftermath),
        ("timeout", CrashKind::Timeout, Standing::Fatal),
        ("out-of-memory", CrashKind::OutOfMemory, Standing::Fatal),
        ("fuzz target exited", CrashKind::Exit, Standing::Aftermath),
        ("fuzz target overwrites its const input", CrashKind::OverwrittenInput, Standing::Fatal),
        ("fuzz target overwrites", CrashKind::OverwrittenInput, Standing::Fatal),
        ("a leak has been found", CrashKind::Leak, Standing::Warning),
        ("signal-unsafe", CrashKind::ThreadMisuse, Standing::Fatal),
    ];
    let found = REASONS.iter().find(|(words, ..)| reason.starts_with(words));
    found.map(|(_, kind, standing)| (*kind, *standing))
}

/// Centipede: `========= Stack limit exceeded: 982784 > 131072 (byte); aborting`.
pub(super) fn centipede(text: &str) -> Option<Event> {
    let reason = text.strip_prefix("========= ")?;
    let lower = scan::clipped(reason, 48).to_ascii_lowercase();
    let kind = if lower.contains("timeout") {
        CrashKind::Timeout
    } else if lower.starts_with("stack limit") {
        CrashKind::StackOverflow
    } else if lower.starts_with("rss limit") {
        CrashKind::OutOfMemory
    } else {
        return None;
    };
    Some(Report::new(kind, "Centipede").message(reason).event())
}

/// Lines without a pid: the input that runs, the file that was written, the program.
pub(super) fn line(text: &str) -> Option<Event> {
    if let Some(input) = text.strip_prefix("Running: ") {
        return Some(Event::Input(input.trim().to_owned()));
    }
    if text.starts_with("artifact_prefix=") || text.starts_with("Test unit written to ") {
        let (_, path) = text.split_once("Test unit written to ")?;
        return Some(Event::Input(path.trim().to_owned()));
    }
    let program = text.strip_suffix(" time(s) each.")?;
    let (program, _) = program.split_once(": Running ")?;
    Some(Event::Program(program.to_owned()))
}
