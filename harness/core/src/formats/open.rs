//! The report that is being read: its message, its stacks, and which later report is only its end.

use super::report::{MessageStyle, Report, Standing, Style};
use super::scan;
use crate::crash::{Access, AccessMode, Crash, CrashKind, Stack, StackRole};
use crate::frame::Frame;

/// More frames than any tool prints; the outer end of a deeper stack is dropped.
const FRAMES_MAX: usize = 1024;
/// Stacks kept for one report: heap profiles list hundreds.
const STACKS_MAX: usize = 16;
/// A message's length.
pub(super) const MESSAGE_BYTES_MAX: usize = 8 * 1024;

/// The report that is being read.
pub(super) struct Open {
    pub(super) crash: Crash,
    pub(super) standing: Standing,
    pub(super) style: Style,
    pub(super) message: MessageStyle,
    pub(super) stack: Stack,
    pub(super) last_number: Option<u64>,
    pub(super) is_closed: bool,
    pub(super) is_deaf: bool,
    pub(super) has_thread_id: bool,
}

impl Open {
    pub(super) fn new(report: Report) -> Self {
        Self {
            crash: report.crash,
            standing: report.standing,
            style: report.style,
            message: report.message,
            stack: Stack::new(StackRole::Crash, Vec::new()),
            last_number: None,
            is_closed: false,
            is_deaf: false,
            has_thread_id: report.has_thread_id,
        }
    }

    /// Whether `report` only says how this one ended, or is a panic about this one.
    pub(super) fn is_followed_by(&self, report: &Report) -> bool {
        let is_secondary = report.crash.kind == CrashKind::Panic && report.standing == Standing::Aftermath;
        let is_end = report.standing == Standing::Aftermath && self.standing != Standing::Weak;
        // A failed check may end the program by touching a bad address on purpose.
        let is_on_purpose = matches!(self.crash.kind, CrashKind::AssertionFailure | CrashKind::FatalError)
            && matches!(report.crash.kind, CrashKind::Segv)
            && report.standing == Standing::Fatal;
        let is_same = self.crash.kind == report.crash.kind && self.crash.kind == CrashKind::StackOverflow;
        !self.is_closed && (is_secondary || is_end || is_same || is_on_purpose)
    }

    pub(super) fn absorb(&mut self, report: &Report) {
        self.end_message();
        let is_secondary = report.crash.kind == CrashKind::Panic;
        self.begin_stack(if is_secondary { StackRole::OtherThread } else { StackRole::Crash }, report.style);
        self.message = report.message;
        self.is_deaf = is_secondary;
        self.standing =
            if self.standing == Standing::Aftermath { Standing::Aftermath } else { Standing::Fatal };
    }

    pub(super) fn begin_stack(&mut self, role: StackRole, style: Style) {
        self.end_stack();
        self.stack.role = role;
        self.style = style;
    }

    pub(super) fn end_stack(&mut self) {
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

    pub(super) fn has_frames(&self) -> bool {
        !self.stack.frames.is_empty()
    }

    pub(super) fn push(&mut self, number: Option<u64>, frame: Frame) {
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

    pub(super) fn refine_access(&mut self, access: Access) {
        let known = self.crash.access.get_or_insert_with(Access::default);
        if known.mode == AccessMode::Unknown {
            known.mode = access.mode;
        }
        known.size = known.size.or(access.size);
        known.address = known.address.or(access.address);
    }

    pub(super) fn add_message(&mut self, line: &str) {
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
    pub(super) fn say(&mut self, words: &str) {
        let words = scan::clipped(words, 1024);
        match &mut self.crash.message {
            None => self.crash.message = Some(words.to_owned()),
            Some(message) if self.style != Style::Python && message.len() < MESSAGE_BYTES_MAX / 2 => {
                message.push_str(": ");
                message.push_str(words);
            }
            Some(_) => {}
        }
    }

    pub(super) fn end_message(&mut self) {
        self.message = MessageStyle::Whole;
        self.is_deaf = false;
        if let Some(message) = &mut self.crash.message {
            message.truncate(message.trim_end().len());
        }
    }
}
