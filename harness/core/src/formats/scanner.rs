//! The scanner: lines in, reports out. It knows which report is open, which stack is being read, and which report only
//! tells the end of the one before it. What a line *says* is decided by the families' own files.

use memchr::memmem::Finder;

use super::report::{Event, MessageStyle, Report, Standing, Style};
use super::{
    ParsedLog, checks, gdb, go, jvm, libfuzzer, native, python, rust, sanitizer, stack_line, undefined,
    valgrind,
};
use crate::crash::{Access, AccessMode, AddressClass, Crash, CrashKind, Stack, StackRole};
use crate::frame::{Frame, mark_in_app};
use crate::target::TargetName;

/// Longer lines are cut: no tool prints one, and a hostile log must not fill memory.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// More frames than any tool prints; the outer end of a deeper stack is dropped.
const FRAMES_MAX: usize = 1024;
/// Stacks kept for one report: heap profiles list hundreds.
const STACKS_MAX: usize = 16;
/// Reports kept for one log.
const REPORTS_MAX: usize = 1024;
/// A message's length.
pub(super) const MESSAGE_BYTES_MAX: usize = 8 * 1024;

/// Reads a log piece by piece, in memory that doesn't depend on its length.
pub struct LogScanner {
    partial: Vec<u8>,
    is_cutting: bool,
    scan: Scan,
}

struct Scan {
    open: Option<Open>,
    done: Vec<(Standing, Crash)>,
    n_lines: u64,
    n_dropped: u64,
    input: Option<String>,
    program: Option<String>,
    /// A line that reads like an exception's; it becomes a report if frames follow.
    exception: Option<String>,
    marks: Marks,
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
    sanitizer: Finder<'static>,
    traceback: Finder<'static>,
}

/// The report that is being read.
struct Open {
    crash: Crash,
    standing: Standing,
    style: Style,
    message: MessageStyle,
    stack: Stack,
    last_number: Option<u64>,
    is_closed: bool,
    is_deaf: bool,
}

impl Default for LogScanner {
    fn default() -> Self {
        Self::new()
    }
}

impl LogScanner {
    /// A scanner at the start of a log.
    pub fn new() -> Self {
        let marks = Marks {
            runtime_error: Finder::new(undefined::MARK),
            panicked: Finder::new("panicked at "),
            assertion: Finder::new("ssertion"),
            check_failed: Finder::new("heck failed: "),
            fatal: Finder::new(":FATAL:"),
            assertion_upper: Finder::new("SSERTION"),
            critical: Finder::new("[critical]"),
            sanitizer: Finder::new("Sanitizer: "),
            traceback: Finder::new(python::TRACEBACK),
        };
        let scan = Scan {
            open: None,
            done: Vec::new(),
            n_lines: 0,
            n_dropped: 0,
            input: None,
            program: None,
            exception: None,
            marks,
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
        if text.is_empty() {
            self.blank();
        } else if !self.goes_on_with_message(line) {
            let event = self.stack_event(text, indent).or_else(|| self.event(text, indent));
            match event {
                Some(event) => self.apply(event),
                None => self.note(text, indent),
            }
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
    fn event(&self, text: &str, indent: usize) -> Option<Event> {
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
        by_start.or_else(|| self.marked(text))
    }

    /// What the line means because of words somewhere inside it.
    fn marked(&self, text: &str) -> Option<Event> {
        let bytes = text.as_bytes();
        let marks = &self.marks;
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
        let is_fatal =
            marks.check_failed.find(bytes).is_some() || marks.fatal.find(bytes).is_some() || bytes[0] == b'F';
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
            Some(open) if belongs => open.absorb(report),
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
            standing => standing,
        };
        let is_empty = open.crash.stacks.iter().all(|stack| stack.frames.is_empty());
        if standing == Standing::Weak && is_empty {
            return;
        }
        if self.done.len() >= REPORTS_MAX {
            self.n_dropped += 1;
            return;
        }
        self.done.push((standing, finished(open.crash)));
    }

    fn finish(mut self) -> ParsedLog {
        self.close();
        self.done.sort_by_key(|(standing, _)| match standing {
            Standing::Fatal => 0,
            Standing::Aftermath => 1,
            Standing::Warning => 2,
            Standing::Weak => 3,
        });
        let target =
            self.program.as_deref().and_then(|path| path.rsplit(['/', '\\']).next()).map(TargetName::new);
        let mut crashes: Vec<Crash> = self.done.into_iter().map(|(_, crash)| crash).collect();
        for crash in &mut crashes {
            crash.target.clone_from(&target);
            crash.input.clone_from(&self.input);
        }
        ParsedLog { crashes, n_lines: self.n_lines, n_dropped: self.n_dropped }
    }
}

impl Open {
    fn new(report: Report) -> Self {
        Self {
            crash: report.crash,
            standing: report.standing,
            style: report.style,
            message: report.message,
            stack: Stack::new(StackRole::Crash, Vec::new()),
            last_number: None,
            is_closed: false,
            is_deaf: false,
        }
    }

    /// Whether `report` only says how this one ended, or is a panic about this one.
    fn is_followed_by(&self, report: &Report) -> bool {
        let is_secondary = report.crash.kind == CrashKind::Panic && report.standing == Standing::Aftermath;
        let is_end = report.standing == Standing::Aftermath && self.standing != Standing::Weak;
        // A failed check may end the program by touching a bad address on purpose.
        let is_on_purpose = matches!(self.crash.kind, CrashKind::AssertionFailure | CrashKind::FatalError)
            && matches!(report.crash.kind, CrashKind::Segv)
            && report.standing == Standing::Fatal;
        let is_same = self.crash.kind == report.crash.kind && self.crash.kind == CrashKind::StackOverflow;
        !self.is_closed && (is_secondary || is_end || is_same || is_on_purpose)
    }

    fn absorb(&mut self, report: Report) {
        self.end_message();
        let is_secondary = report.crash.kind == CrashKind::Panic;
        self.begin_stack(if is_secondary { StackRole::OtherThread } else { StackRole::Crash }, report.style);
        self.message = report.message;
        self.is_deaf = is_secondary;
        self.standing =
            if self.standing == Standing::Aftermath { Standing::Aftermath } else { Standing::Fatal };
    }

    fn begin_stack(&mut self, role: StackRole, style: Style) {
        self.end_stack();
        self.stack.role = role;
        self.style = style;
    }

    fn end_stack(&mut self) {
        let role = self.stack.role;
        let mut stack = std::mem::replace(&mut self.stack, Stack::new(role, Vec::new()));
        self.last_number = None;
        if self.style == Style::Python {
            stack.frames.reverse();
        }
        if !stack.frames.is_empty() && self.crash.stacks.len() < STACKS_MAX {
            self.crash.stacks.push(stack);
        }
    }

    fn has_frames(&self) -> bool {
        !self.stack.frames.is_empty()
    }

    fn push(&mut self, number: Option<u64>, frame: Frame) {
        if number == Some(0) && self.has_frames() && self.last_number != Some(0) {
            self.end_stack();
            self.stack.role =
                if self.crash.stacks.is_empty() { StackRole::Crash } else { StackRole::OtherThread };
        }
        self.last_number = number;
        if let Some(previous) = self.stack.frames.last_mut() {
            previous.inlined |= frame.address.is_some() && previous.address == frame.address;
        }
        if self.stack.frames.len() < FRAMES_MAX {
            self.stack.frames.push(frame);
        }
    }

    fn refine_access(&mut self, access: Access) {
        let known = self.crash.access.get_or_insert_with(Access::default);
        if known.mode == AccessMode::Unknown {
            known.mode = access.mode;
        }
        known.size = known.size.or(access.size);
        known.address = known.address.or(access.address);
    }

    fn add_message(&mut self, line: &str) {
        if self.is_deaf {
            return;
        }
        let message = self.crash.message.get_or_insert_with(String::new);
        if message.len() + line.len() < MESSAGE_BYTES_MAX {
            if !message.is_empty() {
                message.push('\n');
            }
            message.push_str(line);
        }
    }

    /// A line that adds to the message once: `what():`, a Python exception.
    fn say(&mut self, words: &str) {
        let words = super::scan::clipped(words, 1024);
        match &mut self.crash.message {
            None => self.crash.message = Some(words.to_owned()),
            Some(message) if self.style != Style::Python && message.len() < MESSAGE_BYTES_MAX / 2 => {
                message.push_str(": ");
                message.push_str(words);
            }
            Some(_) => {}
        }
    }

    fn end_message(&mut self) {
        self.message = MessageStyle::Whole;
        self.is_deaf = false;
        if let Some(message) = &mut self.crash.message {
            message.truncate(message.trim_end().len());
        }
    }
}

/// Conclusions that need the whole report.
fn finished(mut crash: Crash) -> Crash {
    for stack in &mut crash.stacks {
        mark_in_app(&mut stack.frames);
    }
    let class = crash.access.and_then(|access| access.address_class());
    if crash.kind == CrashKind::Segv && class == Some(AddressClass::Null) {
        crash.kind = CrashKind::NullDereference;
    }
    if crash.kind == CrashKind::DeadlySignal && has_aborted(&crash) {
        crash.kind = CrashKind::Abort;
    }
    crash
}

/// Whether a signal was the program's own `abort`.
fn has_aborted(crash: &Crash) -> bool {
    let names = crash
        .stacks
        .iter()
        .flat_map(|stack| stack.frames.iter().take(12))
        .filter_map(|frame| frame.function.as_deref());
    names
        .into_iter()
        .any(|name| matches!(name, "abort" | "std::process::abort" | "__GI_abort" | "gsignal" | "raise"))
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
