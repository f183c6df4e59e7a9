//! What one line of a log can mean: the words between the families' readers and the scanner.

use crate::crash::{Access, Crash, CrashKind, Location, StackRole};
use crate::frame::Frame;

/// What a line means.
#[derive(Debug)]
pub(super) enum Event {
    /// A report begins.
    Report(Box<Report>),
    /// A stack begins.
    Stack(StackRole, Style),
    /// A frame, with its number if it has one.
    Frame(Option<u64>, Frame),
    /// Where the last frame is.
    At(Location),
    /// What is known about the access at fault.
    Access(Access),
    /// The tool says that the printed address is not the real one.
    AddressUnknown,
    /// More words for the report's message.
    Message(String),
    /// The input that is being run, or was saved.
    Input(String),
    /// The program.
    Program(String),
    /// The report is over.
    Close,
}

/// The beginning of a report.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) crash: Crash,
    pub(super) style: Style,
    /// How its message goes on.
    pub(super) message: MessageStyle,
    /// What it is to the report before it.
    pub(super) standing: Standing,
    /// Whether a panic's header carried the id of its thread.
    pub(super) has_thread_id: bool,
}

/// What a report is worth beside others in one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// Ends the process, for a reason of its own.
    Fatal,
    /// Does not end the process by itself: a race, undefined behaviour that was only printed, a leak at exit.
    Warning,
    /// Only tells that the process ended: a signal, an exit. It belongs to the fatal report before it, if there is one.
    Aftermath,
    /// Could be noise of the program under test; counts only if a stack follows.
    Weak,
}

/// How the stack of a report is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `#0 0x.. in f file:1:2`, also TSan, gdb and Android.
    Numbered,
    /// `   0: f` and `             at file:1:2`.
    Rust,
    /// `pkg.f(0x1)` and `\tfile.go:1 +0x2`.
    Go,
    /// `  File "x.py", line 3, in f`, innermost last.
    Python,
    /// `\tat f(File.java:1)`, also JavaScript.
    At,
    /// `==1==    at 0x..: f (file.c:1)`.
    Valgrind,
}

/// How a message goes on after its first line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MessageStyle {
    /// It doesn't.
    Whole,
    /// The next line is the message, behind a comment sign: V8.
    OneLine,
    /// The following lines are the message, up to a line that starts something else.
    Follows,
    /// The message goes on until a line that ends in `', file:1:2`: a panic before Rust 1.73.
    Quoted,
}

impl Report {
    pub(super) fn new(kind: CrashKind, reporter: &str) -> Self {
        Self {
            crash: Crash::of(kind, reporter),
            style: Style::Numbered,
            message: MessageStyle::Whole,
            standing: Standing::Fatal,
            has_thread_id: false,
        }
    }

    pub(super) fn message(mut self, message: &str) -> Self {
        let message = super::scan::clipped(message.trim(), super::open::MESSAGE_BYTES_MAX);
        self.crash.message = (!message.is_empty()).then(|| message.to_owned());
        self
    }

    pub(super) fn style(mut self, style: Style) -> Self {
        self.style = style;
        self
    }

    pub(super) fn standing(mut self, standing: Standing) -> Self {
        self.standing = standing;
        self
    }

    pub(super) fn location(mut self, location: Location) -> Self {
        self.crash.location = Some(location);
        self
    }

    pub(super) fn event(self) -> Event {
        Event::Report(Box::new(self))
    }
}
