//! One crash as one line of JSON: what `triage --json` prints. The schema is documented in `docs/formats.md`.
//!
//! Fields are added, never renamed or removed; readers skip what they don't know. Addresses and offsets are hex strings,
//! because JSON numbers lose digits above 2^53.

use serde::{Deserialize, Serialize};

use super::kind::UnknownKind;
use super::{Access, AccessMode, Crash, Location, Stack, StackRole};
use crate::frame::Frame;
use crate::signature::{Keys, Signature};
use crate::target::TargetName;

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

impl CrashLine {
    /// The crash that the line was made of: enough of it to sign and group it again.
    pub fn to_crash(&self) -> Result<Crash, UnknownKind> {
        let mut crash = Crash::of(self.kind.parse()?, &self.reporter);
        crash.access = self.access.as_ref().map(AccessLine::to_access);
        crash.message.clone_from(&self.message);
        crash.location = self.location.as_deref().map(location_of);
        crash.target = self.target.as_ref().map(TargetName::new);
        crash.input.clone_from(&self.input);
        let mut frames: Vec<&FrameLine> = self.frames.iter().collect();
        frames.sort_by_key(|frame| frame.index);
        if !frames.is_empty() {
            let frames = frames.into_iter().map(FrameLine::to_frame).collect();
            crash.stacks.push(Stack::new(StackRole::Crash, frames));
        }
        for stack in &self.stacks {
            let frames = stack.frames.iter().map(FrameLine::to_frame).collect();
            // A stack whose role is a stranger's word says least as another thread's.
            let role = StackRole::ALL.into_iter().find(|role| role.as_str() == stack.role);
            crash.stacks.push(Stack::new(role.unwrap_or(StackRole::OtherThread), frames));
        }
        Ok(crash)
    }
}

/// `file:line:column`, as `Location` prints it; a file may have colons of its own.
fn location_of(text: &str) -> Location {
    let mut numbers = Vec::new();
    let mut file = text;
    while let Some((before, number)) = file.rsplit_once(':')
        && let (Ok(number), true) = (number.parse(), numbers.len() < 2)
    {
        numbers.insert(0, number);
        file = before;
    }
    let mut numbers = numbers.into_iter();
    Location { file: file.to_owned(), line: numbers.next(), column: numbers.next() }
}

impl AccessLine {
    fn to_access(&self) -> Access {
        let mode = match self.mode.as_str() {
            "read" => AccessMode::Read,
            "write" => AccessMode::Write,
            _ => AccessMode::Unknown,
        };
        Access { mode, size: self.size, address: self.address.as_deref().and_then(hex_number) }
    }
}

impl FrameLine {
    fn to_frame(&self) -> Frame {
        Frame {
            function: self.function.clone(),
            file: self.file.clone(),
            line: self.line,
            column: self.column,
            module: self.module.clone(),
            offset: self.offset.as_deref().and_then(hex_number),
            address: None,
            inlined: self.inlined,
            in_app: self.in_app,
        }
    }
}

fn hex_number(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
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
    use crate::crash::CrashKind;

    #[test]
    fn a_crash_read_back_from_its_line_has_the_same_keys() {
        let log = "thread 'main' panicked at src/a:b/parse.rs:7:9:\nindex out of bounds: the len is 1 but the index is 2\n\
                   ==1== ERROR: libFuzzer: deadly signal\n    #0 0x55 in mycrate::parse::<u8> /x/src/parse.rs:7:9\n";
        let parsed = crate::formats::parse_log(log.as_bytes());
        let crash = parsed.first().unwrap();
        let keys = Keys::of(crash);
        let line = CrashLine::new("a.log", crash, &keys, &keys.signature);
        assert_eq!(Keys::of(&line.to_crash().unwrap()), keys);
    }

    #[test]
    fn a_line_with_a_strange_kind_is_refused() {
        let crash = Crash::of(CrashKind::Abort, "test");
        let keys = Keys::of(&crash);
        let line =
            CrashLine { kind: "banana".to_owned(), ..CrashLine::new("a", &crash, &keys, &keys.signature) };
        assert!(line.to_crash().is_err());
    }

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
