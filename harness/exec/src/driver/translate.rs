//! A bad end as the rest of the project knows it: a [`Crash`], its frames still raw.
//!
//! What the driver and the kernel saw decides the kind; a sanitizer's report is read for its details only.

use shakedown_core::crash::{Access, AccessMode, AddressClass, Crash, CrashKind, Location, Stack, StackRole};
use shakedown_core::formats::parse_log;
use shakedown_core::frame::{Frame, mark_in_app};

use super::crash::{EndKind, RawCrash, RawFrame};

/// The crash in `raw`. Its stacks want `symbolize`.
pub fn crash_of(raw: &RawCrash) -> Crash {
    match raw.kind {
        EndKind::Sanitizer | EndKind::Leak => reported(raw),
        EndKind::Passed
        | EndKind::Rejected
        | EndKind::Panic
        | EndKind::ThreadPanic
        | EndKind::CaughtPanic
        | EndKind::AllocationFailure
        | EndKind::Abort
        | EndKind::Signal
        | EndKind::StackOverflow
        | EndKind::Timeout
        | EndKind::OutOfMemory
        | EndKind::Exit
        | EndKind::Killed
        | EndKind::OverwritesInput => seen(raw),
    }
}

/// The sanitizer's report, if there is one in the log: the target can also have printed something like it, but then it
/// accuses itself.
fn reported(raw: &RawCrash) -> Crash {
    let told = parse_log(&raw.log).first().cloned();
    told.filter(|crash| crash.crash_stack().is_some()).unwrap_or_else(|| seen(raw))
}

fn seen(raw: &RawCrash) -> Crash {
    let access = (raw.address != 0 || raw.kind == EndKind::Signal).then_some(Access {
        mode: AccessMode::Unknown,
        size: None,
        address: Some(raw.address),
    });
    let kind = kind_of(raw, access);
    let mut crash = Crash::of(kind, "driver");
    crash.access =
        access.filter(|_| matches!(kind, CrashKind::Segv | CrashKind::NullDereference | CrashKind::Bus));
    crash.message = Some(raw.message.clone()).filter(|message| !message.is_empty());
    crash.location = raw.location.as_ref().map(|location| Location {
        file: location.file.clone(),
        line: Some(location.line),
        column: Some(location.column),
    });
    if !raw.stack.is_empty() {
        let mut frames: Vec<Frame> = raw.stack.iter().map(frame).collect();
        mark_in_app(&mut frames);
        crash.stacks.push(Stack::new(StackRole::Crash, frames));
    }
    crash
}

fn frame(raw: &RawFrame) -> Frame {
    match &raw.module {
        Some(module) => Frame::of_offset(module.to_string_lossy(), raw.offset),
        None => Frame { address: Some(raw.offset), ..Frame::default() },
    }
}

fn kind_of(raw: &RawCrash, access: Option<Access>) -> CrashKind {
    match raw.kind {
        EndKind::Panic | EndKind::ThreadPanic | EndKind::CaughtPanic => CrashKind::Panic,
        EndKind::AllocationFailure | EndKind::OutOfMemory => CrashKind::OutOfMemory,
        EndKind::Abort => CrashKind::Abort,
        EndKind::StackOverflow => CrashKind::StackOverflow,
        EndKind::Leak => CrashKind::Leak,
        EndKind::Timeout => CrashKind::Timeout,
        EndKind::Exit => CrashKind::Exit,
        EndKind::OverwritesInput => CrashKind::OverwrittenInput,
        EndKind::Signal | EndKind::Sanitizer => kind_of_signal(raw.signal, access),
        EndKind::Passed | EndKind::Rejected | EndKind::Killed => CrashKind::DeadlySignal,
    }
}

fn kind_of_signal(signal: Option<i32>, access: Option<Access>) -> CrashKind {
    use nix::sys::signal::Signal;
    let is_null = access.and_then(|access| access.address_class()) == Some(AddressClass::Null);
    let is = |wanted: Signal| signal == Some(wanted as i32);
    if is(Signal::SIGSEGV) {
        if is_null { CrashKind::NullDereference } else { CrashKind::Segv }
    } else if is(Signal::SIGBUS) {
        CrashKind::Bus
    } else if is(Signal::SIGILL) {
        CrashKind::IllegalInstruction
    } else if is(Signal::SIGFPE) {
        CrashKind::FloatingPointException
    } else if is(Signal::SIGTRAP) {
        CrashKind::Trap
    } else if is(Signal::SIGABRT) {
        CrashKind::Abort
    } else {
        CrashKind::DeadlySignal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: EndKind, signal: Option<i32>, address: u64, expected: CrashKind) {
        let raw = RawCrash { signal, address, ..RawCrash::without_word(kind) };
        assert_eq!(crash_of(&raw).kind, expected, "{kind:?} {signal:?}");
    }

    #[test]
    fn the_kernels_word_decides_the_kind() {
        check(EndKind::Signal, Some(11), 0x10, CrashKind::NullDereference);
        check(EndKind::Signal, Some(11), 0x7f00_0000_0000, CrashKind::Segv);
        check(EndKind::Signal, Some(8), 0, CrashKind::FloatingPointException);
        check(EndKind::AllocationFailure, None, 0, CrashKind::OutOfMemory);
        check(EndKind::Killed, None, 0, CrashKind::DeadlySignal);
    }

    #[test]
    fn a_claimed_report_in_the_log_changes_nothing_about_a_panic() {
        let log = b"==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x1 at pc 0x2\n    #0 0x3 in f /x.c:1\n";
        let raw = RawCrash {
            message: "boom".to_owned(),
            log: log.to_vec(),
            ..RawCrash::without_word(EndKind::Panic)
        };
        let crash = crash_of(&raw);
        assert_eq!((crash.kind, crash.message.as_deref()), (CrashKind::Panic, Some("boom")));
    }

    #[test]
    fn a_sanitizer_without_a_report_is_what_the_signal_says() {
        check(EndKind::Sanitizer, Some(6), 0, CrashKind::Abort);
    }
}
