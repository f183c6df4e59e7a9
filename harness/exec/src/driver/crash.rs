//! How an execution ended, as the driver and the kernel saw it: raw, without a name looked up.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How an execution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndKind {
    /// The target came back.
    Passed,
    /// The target came back and wants the input in no corpus.
    Rejected,
    /// A panic reached the target's boundary, or aborted because it could not unwind.
    Panic,
    /// A panic ended another thread.
    ThreadPanic,
    /// The code under test caught a panic itself, and that was asked for.
    CaughtPanic,
    /// Memory was refused: more than the limit at once, or in sum.
    AllocationFailure,
    /// `abort()` without a panic.
    Abort,
    /// A deadly signal.
    Signal,
    /// The stack was used up.
    StackOverflow,
    /// The sanitizer's report; its text is in the log.
    Sanitizer,
    /// Memory that nobody can reach any more; the sanitizer's text is in the log.
    Leak,
    /// The time limit.
    Timeout,
    /// The process grew beyond the memory limit.
    OutOfMemory,
    /// The target ended its process.
    Exit,
    /// The process is gone and left no word.
    Killed,
    /// The target wrote to its input.
    OverwritesInput,
}

impl EndKind {
    /// By the number that the protocol has for it.
    pub(super) fn from_number(number: u8) -> Option<Self> {
        const ALL: [EndKind; 16] = [
            EndKind::Passed,
            EndKind::Rejected,
            EndKind::Panic,
            EndKind::ThreadPanic,
            EndKind::CaughtPanic,
            EndKind::AllocationFailure,
            EndKind::Abort,
            EndKind::Signal,
            EndKind::StackOverflow,
            EndKind::Sanitizer,
            EndKind::Leak,
            EndKind::Timeout,
            EndKind::OutOfMemory,
            EndKind::Exit,
            EndKind::Killed,
            EndKind::OverwritesInput,
        ];
        ALL.get(usize::from(number)).copied()
    }

    /// Whether it is a finding, as opposed to an input that was simply run.
    pub fn is_bad(self) -> bool {
        !matches!(self, Self::Passed | Self::Rejected)
    }

    /// Whether the process that catches panics survives it, so that it can be looked for without forks.
    pub(super) fn is_catchable(self) -> bool {
        matches!(self, Self::Panic | Self::CaughtPanic | Self::AllocationFailure)
    }
}

/// Equal for equal fault sites of one and the same executable; it means nothing beyond that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RawSite(pub u64);

/// Where a panic says that it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PanicLocation {
    /// The source file as the compiler knew it.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
}

/// A frame of a raw stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawFrame {
    /// The executable or library; `None` if the address lies in neither.
    pub module: Option<Arc<Path>>,
    /// The address in that file, to be symbolised as it is: it lies inside the call and not after it.
    pub offset: u64,
}

/// A bad end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawCrash {
    /// What kind.
    pub kind: EndKind,
    /// The signal that came with it.
    pub signal: Option<i32>,
    /// The exit status of the process, where one was seen.
    pub exit_code: Option<i32>,
    /// The faulting address, 0 where there is none.
    pub address: u64,
    /// The fault site.
    pub site: RawSite,
    /// The panic's message or the sanitizer's word for it; the target's own text, of bounded length.
    pub message: String,
    /// The panic's location.
    pub location: Option<PanicLocation>,
    /// Innermost first, ending at the target's boundary; of bounded length.
    pub stack: Vec<RawFrame>,
    /// What the process printed: its beginning and its end. Empty unless it ran in a fork.
    pub log: Vec<u8>,
    /// How many bytes in the middle of the log are missing.
    pub log_bytes_dropped: u64,
}

impl RawCrash {
    /// All that is known of a process that is gone without a word.
    pub(super) fn without_word(kind: EndKind) -> Self {
        Self {
            kind,
            signal: None,
            exit_code: None,
            address: 0,
            site: RawSite(0),
            message: String::new(),
            location: None,
            stack: Vec::new(),
            log: Vec::new(),
            log_bytes_dropped: 0,
        }
    }
}

/// One execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// How it ended.
    pub end: EndKind,
    /// How long the target ran; zero if it never came back.
    pub time: Duration,
    /// How many coverage features it had, as libFuzzer counts them; 0 where none were asked for.
    pub n_features: u32,
    /// The features asked for.
    pub features: Vec<u32>,
    /// What there is to triage, exactly if `end` is bad.
    pub crash: Option<RawCrash>,
}

impl Executed {
    /// An execution of which only is known that it took its process with it.
    pub(super) fn lost(kind: EndKind) -> Self {
        let crash = Some(RawCrash::without_word(kind));
        Self { end: kind, time: Duration::ZERO, n_features: 0, features: Vec::new(), crash }
    }
}
