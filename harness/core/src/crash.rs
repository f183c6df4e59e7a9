//! A crash: one failing execution, as its log tells it.
//!
//! Reading order: [`kind`] (what went wrong), [`access`] (which memory, how), [`severity`], then [`Crash`] with its
//! [`Stack`]s. What a crash is *worth* (new, known, a duplicate) is not said here: see `signature` and `finding`.

use std::collections::HashMap;
use std::fmt;

use crate::frame::Frame;
use crate::target::TargetName;

pub mod access;
mod conclude;
pub mod kind;
pub mod severity;
pub mod wire;

pub use access::{Access, AccessMode, AddressClass};
pub use kind::{CrashKind, KindClass};
pub use severity::Severity;

/// One failing execution: what happened, where, and in whose words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Crash {
    /// What went wrong, in the field's own word.
    pub kind: CrashKind,
    /// The memory access at fault, where the log names one.
    pub access: Option<Access>,
    /// The panic's, assertion's or sanitizer's own sentence; may span lines.
    pub message: Option<String>,
    /// Where the *message* says it happened (a panic's header, an assertion's file and line).
    pub location: Option<Location>,
    /// Every stack of the report, in the order of the log.
    pub stacks: Vec<Stack>,
    /// The fuzz target, if the log or the caller knows it.
    pub target: Option<TargetName>,
    /// The input's path as the log spells it: a stranger's words, never to be opened without a check.
    pub input: Option<String>,
    /// The tool that spoke (`AddressSanitizer`, `libFuzzer`, `rust`, `go`, ..).
    pub reporter: String,
}

/// A list of frames, innermost first, and what it is the stack of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// What this stack shows.
    pub role: StackRole,
    /// Frames, innermost first.
    pub frames: Vec<Frame>,
}

/// What a stack shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StackRole {
    /// Where it crashed.
    Crash,
    /// Where the memory in question was allocated.
    Allocation,
    /// Where it was freed.
    Deallocation,
    /// Where an uninitialised value came from.
    Origin,
    /// The other side of a race or a lock cycle.
    OtherThread,
    /// Where a thread was started.
    ThreadCreation,
}

/// A place in a source file, as a message names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file as written in the log.
    pub file: String,
    /// The line, from 1.
    pub line: Option<u32>,
    /// The column, from 1.
    pub column: Option<u32>,
}

impl Crash {
    /// A crash of `kind` of which nothing else is known yet.
    pub fn of(kind: CrashKind, reporter: &str) -> Self {
        Self { kind, reporter: reporter.to_owned(), ..Self::default() }
    }

    /// How bad it is, by kind and access.
    pub fn severity(&self) -> Severity {
        Severity::of(self.kind, self.access)
    }

    /// The stack that says most about where it crashed.
    ///
    /// A Rust panic under a sanitizer has two: std's own backtrace names inlined functions by their bare name, the
    /// sanitizer's has full paths; so the one with more qualified in-app names wins, the earlier one on a tie.
    pub fn crash_stack(&self) -> Option<&Stack> {
        let mut crash_stacks = self.stacks.iter().filter(|stack| stack.role == StackRole::Crash);
        let best = match self.kind.class() {
            KindClass::Check | KindClass::Exit | KindClass::Recursion => {
                crash_stacks.rev().max_by_key(|stack| stack.informativeness())
            }
            KindClass::Memory
            | KindClass::Race
            | KindClass::Allocation
            | KindClass::Timeout
            | KindClass::Leak => crash_stacks.next(),
        };
        best.or_else(|| self.stacks.first())
    }

    /// The first stack of `role`.
    pub fn stack(&self, role: StackRole) -> Option<&Stack> {
        self.stacks.iter().find(|stack| stack.role == role)
    }

    /// The frames that speak for the defect, most significant first: those in the code under test.
    ///
    /// Where the stack ran out, what stands on top was there by chance; the recursion below it is what matters.
    pub fn significant_frames(&self) -> impl Iterator<Item = &Frame> {
        let frames = self.crash_stack().map(|stack| stack.frames.as_slice()).unwrap_or_default();
        let by_chance = if self.kind == CrashKind::StackOverflow { above_recursion(frames) } else { 0 };
        frames[by_chance..].iter().filter(|frame| frame.in_app)
    }
}

/// How many frames stand above the first function that comes again and again.
fn above_recursion(frames: &[Frame]) -> usize {
    const CALLS_MIN: usize = 3;
    let mut calls: HashMap<&str, usize> = HashMap::new();
    for function in frames.iter().filter_map(|frame| frame.function.as_deref()) {
        *calls.entry(function).or_default() += 1;
    }
    let recurs = |frame: &Frame| {
        frame.in_app && frame.function.as_deref().is_some_and(|function| calls[function] >= CALLS_MIN)
    };
    frames.iter().position(recurs).unwrap_or(0)
}

impl Stack {
    /// A stack of `role`.
    pub fn new(role: StackRole, frames: Vec<Frame>) -> Self {
        Self { role, frames }
    }

    /// How many of its first in-app frames have a place, a full name, or are there at all.
    fn informativeness(&self) -> (usize, usize, usize) {
        let in_app = || self.frames.iter().filter(|frame| frame.in_app);
        let placed = in_app().filter(|frame| frame.file.is_some()).take(3).count();
        let qualified = in_app().filter(|frame| frame.has_qualified_name()).take(3).count();
        (placed, qualified, in_app().take(3).count())
    }
}

impl StackRole {
    /// All roles.
    pub const ALL: [Self; 6] = [
        Self::Crash,
        Self::Allocation,
        Self::Deallocation,
        Self::Origin,
        Self::OtherThread,
        Self::ThreadCreation,
    ];

    /// The word used in reports and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Allocation => "allocation",
            Self::Deallocation => "deallocation",
            Self::Origin => "origin",
            Self::OtherThread => "other-thread",
            Self::ThreadCreation => "thread-creation",
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        for number in [self.line, self.column].into_iter().flatten() {
            write!(f, ":{number}")?;
        }
        Ok(())
    }
}
