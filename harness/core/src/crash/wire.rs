//! One crash as one line of JSON: what `triage --json` prints. The schema is documented in `docs/formats.md`.
//!
//! Fields are added, never renamed or removed; readers skip what they don't know. Addresses and offsets are hex strings,
//! because JSON numbers lose digits above 2^53.

use serde::{Deserialize, Serialize};

use super::{Access, Crash, StackRole};
use crate::frame::Frame;
use crate::signature::{Keys, Signature};

/// The version of the schema.
pub const SCHEMA: u32 = 1;

/// One crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrashLine {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The log or input that was read.
    pub path: String,
    /// The kind, in kebab-case.
    pub kind: String,
    /// The access at fault.
    pub access: Option<AccessLine>,
    /// The message, in full.
    pub message: Option<String>,
    /// The place that the message names: `file:line:column`.
    pub location: Option<String>,
    /// The group key of this crash alone.
    pub signature: Signature,
    /// The signature of the finding that the crash belongs to, after merges and overrides.
    pub finding: Signature,
    /// The other keys.
    pub keys: KeysLine,
    /// How bad it is.
    pub severity: String,
    /// The fuzz target.
    pub target: Option<String>,
    /// The input, as the log names it.
    pub input: Option<String>,
    /// The tool that spoke.
    pub reporter: String,
    /// The crash stack, most significant first: in-app frames in stack order, then the others in stack order.
    pub frames: Vec<FrameLine>,
    /// The other stacks: allocation, deallocation, other thread.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stacks: Vec<StackLine>,
}

/// A faulting access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessLine {
    /// `read`, `write` or `unknown`.
    pub mode: String,
    /// Bytes.
    pub size: Option<u64>,
    /// The address, in hex.
    pub address: Option<String>,
    /// `null`, `non-canonical` or `wild`.
    pub address_class: Option<String>,
}

/// The keys beside the group key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysLine {
    /// The site alone.
    pub site: Signature,
    /// The innermost in-app functions.
    pub stack: Signature,
    /// Everything, with lines.
    pub exact: Signature,
}

/// A frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameLine {
    /// The place in the stack, from 0 at its top.
    pub index: usize,
    /// The function.
    pub function: Option<String>,
    /// The source file.
    pub file: Option<String>,
    /// The line.
    pub line: Option<u32>,
    /// The column.
    pub column: Option<u32>,
    /// The binary or library.
    pub module: Option<String>,
    /// The address inside it, in hex.
    pub offset: Option<String>,
    /// Whether it is code under test.
    pub in_app: bool,
    /// Whether the call was inlined.
    pub inlined: bool,
}

/// A further stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackLine {
    /// `crash`, `allocation`, `deallocation`, `origin`, `other-thread` or `thread-creation`.
    pub role: String,
    /// Its frames, in stack order.
    pub frames: Vec<FrameLine>,
}

impl CrashLine {
    /// The line of `crash`, read from `path`, which belongs to `finding`.
    pub fn new(path: &str, crash: &Crash, keys: &Keys, finding: &Signature) -> Self {
        let crash_stack = crash.crash_stack();
        let others =
            crash.stacks.iter().filter(|stack| crash_stack.is_none_or(|shown| !std::ptr::eq(shown, *stack)));
        Self {
            schema: SCHEMA,
            path: path.to_owned(),
            kind: crash.kind.as_str().to_owned(),
            access: crash.access.map(AccessLine::from),
            message: crash.message.clone(),
            location: crash.location.as_ref().map(ToString::to_string),
            signature: keys.signature.clone(),
            finding: finding.clone(),
            keys: KeysLine { site: keys.site.clone(), stack: keys.stack.clone(), exact: keys.exact.clone() },
            severity: crash.severity().as_str().to_owned(),
            target: crash.target.as_ref().map(ToString::to_string),
            input: crash.input.clone(),
            reporter: crash.reporter.clone(),
            frames: by_significance(crash),
            stacks: others.map(|stack| StackLine::new(stack.role, &stack.frames)).collect(),
        }
    }
}

impl StackLine {
    fn new(role: StackRole, frames: &[Frame]) -> Self {
        let frames = frames.iter().enumerate().map(|(index, frame)| FrameLine::new(index, frame)).collect();
        Self { role: role.as_str().to_owned(), frames }
    }
}

/// Significant frames first: who reads three frames reads the three that matter. `index` gives the stack's own order back.
fn by_significance(crash: &Crash) -> Vec<FrameLine> {
    let frames = crash.crash_stack().map(|stack| stack.frames.as_slice()).unwrap_or_default();
    // The significant ones are the in-app ones from some frame on.
    let first = crash
        .significant_frames()
        .next()
        .and_then(|first| frames.iter().position(|frame| std::ptr::eq(frame, first)));
    let from = first.unwrap_or(frames.len());
    let is_significant = |at: usize, frame: &Frame| frame.in_app && at >= from;
    let mut lines: Vec<FrameLine> =
        frames.iter().enumerate().map(|(at, frame)| FrameLine::new(at, frame)).collect();
    lines.sort_by_key(|line| !is_significant(line.index, &frames[line.index]));
    lines
}

impl FrameLine {
    fn new(index: usize, frame: &Frame) -> Self {
        Self {
            index,
            function: frame.function.clone(),
            file: frame.file.clone(),
            line: frame.line,
            column: frame.column,
            module: frame.module.clone(),
            offset: frame.offset.map(|offset| format!("{offset:#x}")),
            in_app: frame.in_app,
            inlined: frame.inlined,
        }
    }
}

impl From<Access> for AccessLine {
    fn from(access: Access) -> Self {
        Self {
            mode: access.mode.as_str().to_owned(),
            size: access.size,
            address: access.address.map(|address| format!("{address:#x}")),
            address_class: access.address_class().map(|class| class.as_str().to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crash::{CrashKind, Stack};

    #[test]
    fn the_frames_that_matter_come_first_and_keep_their_place() {
        let mut frames: Vec<Frame> =
            ["abort", "mycrate::parse", "std::rt::main", "mycrate::main"].map(Frame::of_function).into();
        frames[1].in_app = true;
        frames[3].in_app = true;
        let mut crash = Crash::of(CrashKind::Abort, "test");
        crash.stacks.push(Stack::new(StackRole::Crash, frames));
        let keys = Keys::of(&crash);
        let line = CrashLine::new("a.log", &crash, &keys, &keys.signature);
        let order: Vec<usize> = line.frames.iter().map(|frame| frame.index).collect();
        assert_eq!(order, [1, 3, 0, 2]);
        let text = serde_json::to_string(&line).unwrap();
        assert_eq!(serde_json::from_str::<CrashLine>(&text).unwrap(), line);
    }
}
