//! What one crash says about its defect: class, site, words; and what else may link it to others.

use crate::crash::{Crash, CrashKind, KindClass, Location, StackRole};
use crate::frame::source::{Source, extension, source_of};
use crate::frame::{Frame, Origin};

use super::message::{self, MessageClass};
use super::normalise::{FunctionKey, function_key, place_of, rust_function_key};
use super::recursion;

/// Crates whose panics report that their *caller* broke a documented rule, as std's own slices do: the caller is the site.
/// Memory misuse and broken invariants inside them stay theirs.
const CONTRACT_CRATES: [&str; 12] = [
    "bytes",
    "byteorder",
    "smallvec",
    "arrayvec",
    "tinyvec",
    "ndarray",
    "slab",
    "indexmap",
    "hashbrown",
    "generic-array",
    "bitvec",
    "heapless",
];

/// Methods of std's traits, which many types of one file have; debug information of inlined calls lacks the type.
const TRAIT_METHODS: [&str; 32] = [
    "next",
    "next_back",
    "fmt",
    "drop",
    "clone",
    "eq",
    "ne",
    "cmp",
    "partial_cmp",
    "hash",
    "from",
    "into",
    "try_from",
    "try_into",
    "from_str",
    "default",
    "deref",
    "deref_mut",
    "as_ref",
    "borrow",
    "index",
    "index_mut",
    "read",
    "write",
    "flush",
    "seek",
    "poll",
    "add",
    "sub",
    "mul",
    "div",
    "call",
];

/// How far down a panic's own location is looked for: helpers with `#[track_caller]` stand above it.
const LOCATION_DEPTH: usize = 4;
/// How many outermost functions name the place of a timeout: where it was sampled is chance, who entered the loop is not.
const TIMEOUT_DEPTH: usize = 2;

/// How many innermost frames without symbols stand for a site.
const RAW_DEPTH: usize = 4;

/// What one crash says about its defect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The class of its kind, sharpened by its message.
    pub class: KindClass,
    /// Whether its message says that an invariant broke, or that memory is not what it should be.
    pub is_invariant: bool,
    /// Where it is: the function at fault, or what stands for one where no function is known.
    pub site: FunctionKey,
    /// Its words, without values.
    pub words: String,
    /// The in-app functions of the crash stack, innermost first, recursion collapsed.
    pub functions: Vec<FunctionKey>,
    /// The functions of the recursion, if it is one.
    pub cycle: Vec<FunctionKey>,
    /// Where the message says it happened, with line: comparable within one build.
    pub location: Option<Location>,
    /// The target that crashed.
    pub target: Option<String>,
}

impl Evidence {
    /// Takes the evidence of `crash`.
    pub fn of(crash: &Crash) -> Self {
        let message_class = crash
            .message
            .as_deref()
            .filter(|_| speaks_for_itself(crash.kind))
            .map_or(MessageClass::Plain, message::class_of);
        let class = class_of(crash.kind, message_class);
        let functions = in_app_functions(crash);
        let cycle = if class == KindClass::Recursion { recursion::cycle(&functions) } else { Vec::new() };
        let site = site_of(crash, class, message_class, &functions, &cycle);
        Self {
            class,
            is_invariant: message_class == MessageClass::Invariant,
            site,
            words: words_of(crash, class),
            functions: recursion::collapsed(functions),
            cycle,
            location: crash.location.clone().filter(|location| !is_std(&location.file)),
            target: crash.target.as_ref().map(|target| target.as_str().to_owned()),
        }
    }

    /// The normal form that the group key is a hash of.
    pub fn normal_form(&self) -> String {
        let mut form = format!("class {}\nsite {}\n", self.class.as_str(), self.site.describe());
        if !self.words.is_empty() {
            form.push_str("words ");
            form.push_str(&self.words);
            form.push('\n');
        }
        form
    }
}

/// Kinds whose message is the program's own.
fn speaks_for_itself(kind: CrashKind) -> bool {
    matches!(kind, CrashKind::Panic | CrashKind::AssertionFailure | CrashKind::FatalError)
}

fn class_of(kind: CrashKind, message: MessageClass) -> KindClass {
    match message {
        MessageClass::Memory => KindClass::Memory,
        MessageClass::Allocation => KindClass::Allocation,
        MessageClass::Plain | MessageClass::Invariant => kind.class(),
    }
}

/// Only a check that the program made itself has words that tell one defect from another at the same site.
fn words_of(crash: &Crash, class: KindClass) -> String {
    let Some(message) = crash.message.as_deref().filter(|_| class == KindClass::Check) else {
        return String::new();
    };
    // A signal's or an abort's message is the tool's.
    if matches!(crash.kind, CrashKind::UncaughtException | CrashKind::SecurityIssue) {
        message::token(message.split(": ").next().unwrap_or(message))
    } else if speaks_for_itself(crash.kind) || crash.kind == CrashKind::UndefinedBehavior {
        message::token(message)
    } else {
        String::new()
    }
}

fn is_std(file: &str) -> bool {
    matches!(source_of(file), Source::RustStd { .. })
}

/// Normal forms of the in-app frames, innermost first. The fuzz target's own counts only if there is nothing else.
fn in_app_functions(crash: &Crash) -> Vec<FunctionKey> {
    let frames: Vec<&Frame> = crash.significant_frames().collect();
    let own = |is_target: bool| -> Vec<FunctionKey> {
        let chosen =
            frames.iter().filter(|frame| frame.is_fuzz_target() == is_target && !is_managed_std(frame));
        keys_of(crash, chosen.copied())
    };
    let libraries = own(false);
    if !libraries.is_empty() {
        return libraries;
    }
    let target = own(true);
    if target.is_empty() { keys_of(crash, frames.iter().copied()) } else { target }
}

fn keys_of<'a>(crash: &Crash, frames: impl Iterator<Item = &'a Frame>) -> Vec<FunctionKey> {
    let has_rust_place = crash.location.as_ref().is_some_and(|location| extension(&location.file) == "rs");
    let is_rust = crash.kind == CrashKind::Panic && (has_rust_place || crash.reporter == "rust");
    let key = |frame: &Frame| if is_rust { rust_function_key(frame) } else { function_key(frame) };
    let mut frames = frames.peekable();
    let merged = frames.peek().filter(|_| is_rust).and_then(|first| merged_panic(crash, first));
    // A bare future is polled by whoever awaits it: the next named frame need not be its function.
    let is_future = is_rust
        && frames
            .peek()
            .and_then(|first| first.function.as_deref())
            .is_some_and(|name| name.starts_with("{async"));
    let mut keys: Vec<FunctionKey> = frames.filter_map(key).collect();
    let Some(first) = keys.first_mut() else { return keys };
    if let Some((place, column)) = merged {
        first.place = place;
        first.name = format!("{}:{column}", first.name);
    } else if is_future || (is_rust && first.owner.is_empty() && TRAIT_METHODS.contains(&first.name.as_str()))
    {
        // `next` without a type could be any type's; the header's column is the next best.
        let column = crash.location.as_ref().and_then(|location| location.column);
        first.name.extend(column.map(|column| format!(":{column}")));
    }
    keys
}

/// The optimiser makes one call of the panics of a function, which then has no place of its own, and of the functions
/// inlined there no trace. The header still has the true place, and its column tells the panics apart.
fn merged_panic(crash: &Crash, innermost: &Frame) -> Option<(String, u32)> {
    let has_place = innermost.line.is_some() && innermost.file.as_deref().is_some_and(|file| !is_std(file));
    let location = crash.location.as_ref().filter(|location| !has_place && !is_std(&location.file))?;
    Some((place_of(&location.file), location.column?))
}

/// Whether a frame is in the standard library of Go, Java or Python. Reports show those, as the field does; a defect is
/// its caller's.
fn is_managed_std(frame: &Frame) -> bool {
    const FILES: [&str; 5] = ["/go/src/", "/lib/python3", "<frozen ", "<embedded stdlib>", "node:"];
    const CLASSES: [&str; 7] = ["java.", "javax.", "jdk.", "sun.", "kotlin.", "scala.", "android."];
    let has_file = frame.file.as_deref().is_some_and(|file| {
        FILES.iter().any(|part| file.contains(part))
            && !file.contains("/site-packages/")
            && !file.contains("/gopath/")
    });
    let is_java = frame.file.as_deref().is_none_or(|file| matches!(extension(file), "java" | "kt"));
    has_file
        || (is_java
            && frame
                .function
                .as_deref()
                .is_some_and(|name| CLASSES.iter().any(|class| name.starts_with(class))))
}

fn site_of(
    crash: &Crash,
    class: KindClass,
    message_class: MessageClass,
    functions: &[FunctionKey],
    cycle: &[FunctionKey],
) -> FunctionKey {
    let site = match class {
        KindClass::Recursion => recursion::name(cycle),
        KindClass::Timeout => outermost(functions),
        KindClass::Check if crash.kind == CrashKind::Panic && message_class == MessageClass::Plain => {
            callers_site(crash, functions)
        }
        KindClass::Check
        | KindClass::Memory
        | KindClass::Race
        | KindClass::Allocation
        | KindClass::Leak
        | KindClass::Exit => at_location(crash, functions),
    };
    site.or_else(|| functions.first().cloned()).unwrap_or_else(|| stand_in(crash))
}

/// The innermost function, or the one in whose file the message says it happened, if that is near.
fn at_location(crash: &Crash, functions: &[FunctionKey]) -> Option<FunctionKey> {
    let place = crash
        .location
        .as_ref()
        .filter(|location| !is_std(&location.file))
        .map(|location| place_of(&location.file));
    let here = place
        .and_then(|place| functions.iter().take(LOCATION_DEPTH).find(|function| function.place == place));
    here.or_else(|| functions.first()).cloned()
}

/// Like [`at_location`], but a panic in a crate that checks its caller's arguments is the caller's.
fn callers_site(crash: &Crash, functions: &[FunctionKey]) -> Option<FunctionKey> {
    let checks_caller = |function: &&FunctionKey| {
        function
            .place
            .split_once(':')
            .is_some_and(|(krate, _)| CONTRACT_CRATES.contains(&krate.replace('_', "-").as_str()))
    };
    let in_contract = functions.iter().take_while(checks_caller).count();
    match functions.get(in_contract) {
        Some(caller) if in_contract > 0 => Some(caller.clone()),
        _ => at_location(crash, functions),
    }
}

/// The functions nearest to the target, as one key.
fn outermost(functions: &[FunctionKey]) -> Option<FunctionKey> {
    let from = functions.len().saturating_sub(TIMEOUT_DEPTH);
    let names: Vec<String> = functions[from..].iter().rev().map(FunctionKey::describe).collect();
    (!names.is_empty()).then(|| FunctionKey { name: names.join(" > "), ..FunctionKey::default() })
}

/// What stands for a site where no function is known: the message's file and column (a column survives the lines that are
/// added above), else raw offsets of the innermost frames, else the target.
fn stand_in(crash: &Crash) -> FunctionKey {
    if let Some(location) = crash.location.as_ref().filter(|location| !is_std(&location.file)) {
        let column = location.column.map(|column| format!(":{column}")).unwrap_or_default();
        return FunctionKey {
            place: place_of(&location.file),
            name: format!("column{column}"),
            ..FunctionKey::default()
        };
    }
    let frames = crash.crash_stack().map(|stack| stack.frames.as_slice()).unwrap_or_default();
    // Above a panic's site stands machinery of unknown depth, so all of its stack counts.
    let depth = if crash.kind == CrashKind::Panic { usize::MAX } else { RAW_DEPTH };
    let own = frames.iter().filter(|frame| frame.is_raw() && frame.origin() == Origin::Unknown);
    let raw: Vec<String> = own.take(depth).filter_map(raw_name).collect();

    if !raw.is_empty() {
        return FunctionKey { name: format!("raw {}", raw.join(" ")), ..FunctionKey::default() };
    }
    let named = frames
        .iter()
        .find_map(function_key)
        .filter(|_| crash.stacks.iter().any(|stack| stack.role == StackRole::Crash));
    named.unwrap_or_else(|| FunctionKey {
        name: format!(
            "target {}",
            crash.target.as_ref().map(crate::target::TargetName::as_str).unwrap_or_default()
        ),
        ..FunctionKey::default()
    })
}

fn raw_name(frame: &Frame) -> Option<String> {
    let module = frame.module.as_deref()?.rsplit('/').next()?;
    Some(format!("{module}+{:#x}", frame.offset?))
}
