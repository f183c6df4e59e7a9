//! The scanner: lines in, reports out. It knows which report is open, which stack is being read, and which report only
//! tells the end of the one before it. What a line *says* is decided by the families' own files.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::open::Open;
use super::report::{Event, MessageStyle, Report, Standing, Style};
use super::{
    ParsedLog, checks, gdb, go, jvm, libfuzzer, native, python, rust, sanitizer, stack_line, undefined,
    valgrind,
};
use crate::crash::{Crash, CrashKind, StackRole};
use crate::frame::Frame;
use crate::target::TargetName;

/// Longer lines are cut: no tool prints one, and a hostile log must not fill memory.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// Reports kept for one log.
const REPORTS_MAX: usize = 1024;

/// Reads a log piece by piece, in memory that doesn't depend on its length.
pub struct LogScanner {
    partial: Vec<u8>,
    is_cutting: bool,
    scan: Scan,
}

struct Scan {
    open: Option<Open>,
    done: Vec<Done>,
    n_lines: u64,
    n_dropped: u64,
    input: Option<String>,
    program: Option<String>,
    /// A line that reads like an exception's; it becomes a report if frames follow.
    exception: Option<String>,
}

/// A report that was read.
struct Done {
    standing: Standing,
    has_thread_id: bool,
    crash: Crash,
}

/// Words that can stand anywhere in a line.
struct Marks {
    runtime_error: Finder<'static>,
    panicked: Finder<'static>,
    assertion: Finder<'static>,
    check_failed: Finder<'static>,
    fatal: Finder<'static>,
    assertion_upper: Finder<'static>,
    critical: Finder<'static>,
    check: Finder<'static>,
    sanitizer: Finder<'static>,
    traceback: Finder<'static>,
}

static MARKS: LazyLock<Marks> = LazyLock::new(|| Marks {
    runtime_error: Finder::new(undefined::MARK),
    panicked: Finder::new("panicked at "),
    assertion: Finder::new("ssertion"),
    check_failed: Finder::new("heck failed: "),
    fatal: Finder::new(":FATAL:"),
    assertion_upper: Finder::new("SSERTION"),
    critical: Finder::new("[critical]"),
    check: Finder::new(" CHECK("),
    sanitizer: Finder::new("Sanitizer: "),
    traceback: Finder::new(python::TRACEBACK),
});

impl Default for LogScanner {
    fn default() -> Self {
        Self::new()
    }
}

impl LogScanner {
    /// A scanner at the start of a log.
    pub fn new() -> Self {
        let scan = Scan {
            open: None,
            done: Vec::new(),
            n_lines: 0,
            n_dropped: 0,
            input: None,
            program: None,
            exception: None,
        };
        Self { partial: Vec::new(), is_cutting: false, scan }
    }

    /// Reads on: `bytes` may end anywhere, also inside a line.
    pub fn feed(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(at) = memchr::memchr(b'\n', rest) {
            let (line, after) = (&rest[..at], &rest[at + 1..]);
            if self.partial.is_empty() && !self.is_cutting {
                self.scan.bytes(line);
            } else {
                self.keep(line);
                let whole = std::mem::take(&mut self.partial);
                self.scan.bytes(&whole);
            }
            self.is_cutting = false;
            rest = after;
        }
        self.keep(rest);
    }

    /// The log is over.
    pub fn finish(mut self) -> ParsedLog {
        if !self.partial.is_empty() {
            let whole = std::mem::take(&mut self.partial);
            self.scan.bytes(&whole);
        }
        self.scan.finish()
    }

    fn keep(&mut self, piece: &[u8]) {
        let room = LINE_BYTES_MAX.saturating_sub(self.partial.len());
        self.is_cutting |= piece.len() > room;
        self.partial.extend_from_slice(&piece[..piece.len().min(room)]);
    }
}

impl Scan {
    fn bytes(&mut self, line: &[u8]) {
        self.n_lines += 1;
        let line = &line[..line.len().min(LINE_BYTES_MAX)];
        if memchr::memchr(0x1b, line).is_some() {
            self.line(&String::from_utf8_lossy(&without_colours(line)));
        } else if let Ok(text) = std::str::from_utf8(line) {
            self.line(text);
        } else {
            self.line(&String::from_utf8_lossy(line));
        }
    }

    fn line(&mut self, line: &str) {
        let line = line.trim_end();
        let text = line.trim_start();
        let indent = line.len() - text.len();
        if self.goes_on_with_message(line) {
            return;
        }
        if text.is_empty() {
            self.blank();
            return;
        }
        match self.stack_event(text, indent).or_else(|| Self::event(text, indent)) {
            Some(event) => self.apply(event),
            None => self.note(text, indent),
        }
    }

    /// A blank line ends a stack of the kinds that number nothing.
    fn blank(&mut self) {
        if let Some(open) = &mut self.open {
            match open.style {
                Style::Go => open.end_stack(),
                Style::Python | Style::Numbered | Style::Rust | Style::At | Style::Valgrind => {}
            }
        }
    }

    /// Gives the line to an unfinished message, if there is one that wants it.
    fn goes_on_with_message(&mut self, line: &str) -> bool {
        let Some(open) = &mut self.open else { return false };
        match open.message {
            MessageStyle::Whole => false,
            MessageStyle::Follows if rust::ends_message(line) => {
                open.end_message();
                false
            }
            MessageStyle::Follows => {
                open.add_message(line);
                true
            }
            MessageStyle::OneLine => {
                open.message = MessageStyle::Whole;
                let Some(reason) = line.strip_prefix("# ") else { return false };
                open.crash.kind = checks::v8_kind(reason);
                open.add_message(
                    reason.split_once("heck failed: ").map_or(reason, |(_, condition)| condition),
                );
                true
            }

            MessageStyle::Quoted => {
                match rust::split_quoted(line) {
                    Some((last, location)) => {
                        open.add_message(last);
                        open.crash.location = Some(location);
                        open.message = MessageStyle::Whole;
                    }
                    None if rust::ends_message(line) => {
                        open.message = MessageStyle::Whole;
                        return false;
                    }
                    None => open.add_message(line),
                }
                true
            }
        }
    }

    /// What the line means as part of the stack that is being read.
    fn stack_event(&self, text: &str, indent: usize) -> Option<Event> {
        let first = text.as_bytes()[0];
        if first == b'#' {
            return stack_line::numbered_frame(text).map(|(number, frame)| Event::Frame(Some(number), frame));
        }
        let open = self.open.as_ref()?;
        let is_check = matches!(open.crash.kind, CrashKind::AssertionFailure | CrashKind::FatalError);
        if is_check && open.style == Style::Numbered {
            return stack_line::other_frame(text).map(|frame| Event::Frame(None, frame));
        }
        match open.style {
            Style::Rust if first.is_ascii_digit() || first == b'-' || text.starts_with("at ") => {
                rust::frame(text)
            }
            Style::Go if first != b'=' && first != b'[' && !open.is_closed => {
                go::line(text).is_none().then(|| go::stack_line(text, indent)).flatten()
            }
            Style::At if text.starts_with("at ") => jvm::frame(text).map(|frame| Event::Frame(None, frame)),
            Style::Python if text.starts_with("File \"") => {
                python::frame(text).map(|frame| Event::Frame(None, frame))
            }
            Style::Python if indent == 0 && !open.is_closed && open.has_frames() => {
                python::exception(text).map(|why| Event::Message(why.to_owned()))
            }
            Style::Rust | Style::Go | Style::At | Style::Python | Style::Numbered | Style::Valgrind => None,
        }
    }

    /// What the line means by itself.
    fn event(text: &str, indent: usize) -> Option<Event> {
        match text.as_bytes()[0] {
            b'=' => {
                return pid_line(text)
                    .or_else(|| native::line(text))
                    .or_else(|| jvm::line(text))
                    .or_else(|| libfuzzer::centipede(text));
            }
            b'0' if text.starts_with("0x") => return None,
            b't' if text.starts_with("thread ") => return rust::thread_line(text),
            b'#' => return checks::v8(text),
            _ => {}
        }
        if let Some(event) = sanitizer::detail(text) {
            return Some(event);
        }
        let by_start = libfuzzer::line(text)
            .or_else(|| if indent == 0 { go::line(text) } else { None })
            .or_else(|| rust::runtime_line(text))
            .or_else(|| native::line(text))
            .or_else(|| gdb::line(text))
            .or_else(|| jvm::line(text));
        by_start.or_else(|| Self::marked(text))
    }

    /// What the line means because of words somewhere inside it.
    fn marked(text: &str) -> Option<Event> {
        let bytes = text.as_bytes();
        let marks = &*MARKS;
        if marks.runtime_error.find(bytes).is_some() {
            return undefined::line(text);
        }
        if let Some(at) = marks.panicked.find(bytes) {
            // After a logger's prefix, but not inside a sentence that only quotes a panic.
            let start = text[..at].rfind("thread '")?;
            return text[..start]
                .ends_with(['|', ']', '\t'])
                .then(|| rust::thread_line(&text[start..]))
                .flatten();
        }
        let is_assertion =
            marks.assertion.find(bytes).is_some() || marks.assertion_upper.find(bytes).is_some();
        if is_assertion && let Some(event) = checks::assertion(text) {
            return Some(event);
        }
        let is_fatal = marks.check_failed.find(bytes).is_some()
            || marks.fatal.find(bytes).is_some()
            || marks.check.find(bytes).is_some()
            || bytes[0] == b'F';
        if is_fatal && let Some(event) = checks::fatal_log(text) {
            return Some(event);
        }
        if marks.critical.find(bytes).is_some() || text.starts_with("abort: ") {
            return checks::critical(text);
        }
        if marks.traceback.find(bytes).is_some() {
            return Some(python::traceback());
        }
        let is_sanitizer = marks.sanitizer.find(bytes).is_some();
        let starts_report =
            text.starts_with("WARNING: ") || text.starts_with("ERROR: ") || text.starts_with("FATAL: ");
        if is_sanitizer && starts_report {
            return sanitizer::headline(text);
        }
        // A logger's prefix before `==1==ERROR: `.
        let at = is_sanitizer.then(|| text.find("==")).flatten()?;
        text[at..].contains("==ERROR: ").then(|| pid_line(&text[at..])).flatten()
    }

    /// Remembers a line that means nothing by itself, but could be the head of a stack.
    fn note(&mut self, text: &str, indent: usize) {
        if self.exception.is_some() && text.starts_with("at ") {
            if let (Some(why), Some(frame)) = (self.exception.take(), jvm::frame(text)) {
                // Without a header it may have been caught and only logged.
                self.apply(jvm::report(&why, Standing::Warning));
                self.apply(Event::Frame(None, frame));
            }
        } else if indent == 0 && jvm::looks_like_exception(text) {
            if let Some(open) =
                self.open.as_mut().filter(|open| open.style == Style::At && !open.has_frames())
            {
                open.say(text);
                return;
            }
            self.exception = Some(text.chars().take(512).collect());
        }
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Report(report) => self.begin(*report),
            Event::Frame(number, frame) => self.frame(number, frame),
            Event::Input(input) => self.input = Some(input),
            Event::Program(program) => self.program = Some(program),
            Event::Stack(role, style) => {
                if let Some(open) = &mut self.open {
                    open.begin_stack(role, style);
                } else if style == Style::Rust {
                    let mut report = Report::new(CrashKind::DeadlySignal, "rust").style(Style::Rust);
                    report.standing = Standing::Weak;
                    self.begin(report);
                }
            }
            Event::At(location) => {
                if let Some(frame) = self.open.as_mut().and_then(|open| open.stack.frames.last_mut()) {
                    frame.file = Some(location.file);
                    frame.line = location.line;
                    frame.column = location.column;
                }
            }
            Event::Access(access) => {
                if let Some(open) = &mut self.open {
                    open.refine_access(access);
                }
            }
            Event::AddressUnknown => {
                if let Some(access) = self.open.as_mut().and_then(|open| open.crash.access.as_mut()) {
                    access.address = None;
                }
            }
            Event::Message(message) => {
                if let Some(open) = &mut self.open {
                    open.say(&message);
                }
            }
            Event::Close => {
                if let Some(open) = &mut self.open {
                    open.is_closed = true;
                }
            }
        }
    }

    /// Opens a report, or gives it to the open one if it only tells that one's end.
    fn begin(&mut self, mut report: Report) {
        let exception = self.exception.take();
        if report.style == Style::Python {
            report.crash.message = exception;
            // A chain of exceptions: the last one is what ended the program.
            if let Some(open) =
                self.open.as_mut().filter(|open| open.style == Style::Python && !open.is_closed)
            {
                open.standing = Standing::Warning;
            }
        }
        let belongs = self.open.as_ref().is_some_and(|open| open.is_followed_by(&report));
        match &mut self.open {
            Some(open) if belongs => open.absorb(&report),
            _ => {
                self.close();
                self.open = Some(Open::new(report));
            }
        }
    }

    fn frame(&mut self, number: Option<u64>, frame: Frame) {
        match &mut self.open {
            Some(open) => open.push(number, frame),
            // A stack without a header: it is kept, in case nothing better comes.
            None if number == Some(0) => {
                let report = Report::new(CrashKind::DeadlySignal, "unknown").standing(Standing::Weak);
                let mut open = Open::new(report);
                open.push(number, frame);
                self.open = Some(open);
            }
            None => {}
        }
    }

    fn close(&mut self) {
        let Some(mut open) = self.open.take() else { return };
        open.end_message();
        open.end_stack();
        let is_secondary = open.crash.kind == CrashKind::Panic
            && open.crash.message.as_deref().is_some_and(rust::is_secondary_message);
        // Memory that is only reachable through other leaked memory is no leak of its own.
        let is_indirect = open.crash.kind == CrashKind::Leak
            && !open.crash.stacks.iter().any(|stack| stack.role == StackRole::Crash);
        let standing = match open.standing {
            Standing::Warning if is_indirect => Standing::Weak,
            Standing::Fatal | Standing::Aftermath if is_secondary => Standing::Warning,
            Standing::Fatal | Standing::Aftermath | Standing::Warning | Standing::Weak => open.standing,
        };
        let is_empty = open.crash.stacks.iter().all(|stack| stack.frames.is_empty());
        if standing == Standing::Weak && is_empty {
            return;
        }
        if self.done.len() >= REPORTS_MAX {
            self.n_dropped += 1;
            return;
        }
        open.crash.conclude();
        self.done.push(Done { standing, has_thread_id: open.has_thread_id, crash: open.crash });
    }

    fn finish(mut self) -> ParsedLog {
        self.close();
        // Since Rust 1.91 every panic's header has a thread id; one without it beside others is the library's own words.
        let has_ids = self.done.iter().any(|done| done.has_thread_id);
        for done in &mut self.done {
            let is_rust_panic = done.crash.kind == CrashKind::Panic && done.crash.reporter == "rust";
            if has_ids && is_rust_panic && !done.has_thread_id {
                done.standing = Standing::Weak;
            }
        }
        self.done.sort_by_key(|done| match done.standing {
            Standing::Fatal => 0,
            Standing::Aftermath => 1,
            Standing::Warning => 2,
            Standing::Weak => 3,
        });
        let target =
            self.program.as_deref().and_then(|path| path.rsplit(['/', '\\']).next()).map(TargetName::new);
        let mut crashes: Vec<Crash> = self.done.into_iter().map(|done| done.crash).collect();
        for crash in &mut crashes {
            crash.target.clone_from(&target);
            crash.input.clone_from(&self.input);
        }
        ParsedLog { crashes, n_lines: self.n_lines, n_dropped: self.n_dropped }
    }
}

/// `==123== rest` in every family.
fn pid_line(text: &str) -> Option<Event> {
    let rest = text.strip_prefix("==")?;
    let end = rest.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(rest.len());
    let rest = rest[end..].strip_prefix("==").filter(|_| end > 0)?;
    libfuzzer::pid_line(rest)
        .or_else(|| sanitizer::pid_line(rest))
        .or_else(|| jvm::line(rest.trim_start()))
        .or_else(|| valgrind::pid_line(rest))
}

/// The line without ANSI escape sequences.
fn without_colours(line: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = memchr::memchr(0x1b, rest) {
        plain.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(sequence) = rest.strip_prefix(b"[") {
            let end =
                sequence.iter().position(|b| (0x40..=0x7e).contains(b)).map_or(sequence.len(), |end| end + 1);
            rest = &sequence[end..];
        }
    }
    plain.extend_from_slice(rest);
    plain
}
