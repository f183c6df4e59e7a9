//! Whose code a frame is: decided by crate, module and role, never by a prefix that could hit a user's function.

use super::source::{Source, source_of};
use super::{Frame, Language, runtime};

/// Whose code a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The language's standard library and panic machinery.
    Std,
    /// libc, sanitizers, the C++ runtime, allocators, the dynamic loader.
    Runtime,
    /// A fuzzing engine and its glue.
    Engine,
    /// The fuzz target's own function: where the engine enters the code under test.
    FuzzTarget,
    /// A published crate, or a project's own code: what is under test.
    App,
    /// Nothing is known but an address.
    Unknown,
}

/// Crates of the Rust distribution whose functions are never at fault for a crash that passes through them.
pub const RUST_STD_CRATES: [&str; 12] = [
    "core",
    "alloc",
    "std",
    "proc_macro",
    "test",
    "compiler_builtins",
    "panic_unwind",
    "panic_abort",
    "std_detect",
    "rustc_std_workspace_core",
    "__rustc",
    "rustc_demangle",
];

/// Crates that carry an input to a target or print a panic; the code under test begins above them.
const ENGINE_CRATES: [&str; 17] = [
    "libfuzzer_sys",
    "libfuzzer-sys",
    "arbitrary",
    "afl",
    "honggfuzz",
    "bolero",
    "bolero_engine",
    "bolero-engine",
    "bolero_libfuzzer",
    "bolero-libfuzzer",
    "ziggy",
    "shakedown_driver",
    "shakedown-driver",
    "shakedown_runtime",
    "backtrace",
    "color_backtrace",
    "better_panic",
];

/// Functions that an engine calls, whatever the language.
const FUZZ_ENTRIES: [&str; 5] = [
    "LLVMFuzzerTestOneInput",
    "rust_fuzzer_test_input",
    "fuzzerTestOneInput",
    "__libfuzzer_sys_run",
    "TestOneInput",
];

impl Frame {
    /// Whose code this frame is, by file first, then by name, then by module.
    pub fn origin(&self) -> Origin {
        let by_name = self.function.as_deref().map(|function| origin_of_name(function, self.language()));
        match (self.file.as_deref().map(source_of), by_name) {
            // The optimiser merges lines: a function of a user can carry a line of std, so a qualified name wins.
            (Some(Source::RustStd { .. }), Some(Origin::App)) if self.has_qualified_name() => Origin::App,
            (Some(Source::RustStd { .. }), _) => Origin::Std,
            (Some(Source::Runtime), Some(Origin::Engine)) => Origin::Engine,
            (Some(Source::Runtime), _) => Origin::Runtime,
            (Some(Source::Published { krate, .. }), _) if ENGINE_CRATES.contains(&krate) => Origin::Engine,
            (_, Some(origin)) => origin,
            (Some(Source::Published { .. } | Source::Project { .. }), None) => Origin::App,
            (None, None) => self.origin_of_module(),
        }
    }

    fn origin_of_module(&self) -> Origin {
        match self.module.as_deref() {
            Some(module) if runtime::is_system_library(module) => Origin::Runtime,
            _ => Origin::Unknown,
        }
    }

    /// Whether the frame belongs to no crate but a fuzz target: `fuzz_targets/x.rs`, or the generated entry function.
    pub fn is_fuzz_target(&self) -> bool {
        let in_targets = match self.file.as_deref().map(source_of) {
            Some(Source::Project { path }) => {
                path.starts_with("fuzz_targets/") || path.starts_with("hfuzz_targets/")
            }
            Some(Source::RustStd { .. } | Source::Published { .. } | Source::Runtime) | None => false,
        };
        in_targets || self.origin() == Origin::FuzzTarget
    }
}

/// Sets `in_app` on every frame of a stack, innermost first: below the engine's entry nothing is code under test.
pub fn mark_in_app(frames: &mut [Frame]) {
    let mut is_below_entry = false;
    for at in 0..frames.len() {
        let (before, rest) = frames.split_at_mut(at);
        let frame = &mut rest[0];
        // A recursion repeats the same few frames a thousand times.
        let twin = before
            .iter()
            .rev()
            .take(4)
            .find(|twin| twin.function == frame.function && twin.file == frame.file);
        if let Some(twin) = twin {
            frame.in_app = twin.in_app && !is_below_entry;
            continue;
        }
        let origin = frame.origin();
        frame.in_app = !is_below_entry && matches!(origin, Origin::App | Origin::FuzzTarget);
        is_below_entry |= is_entry(frame, origin);
    }
}

fn is_entry(frame: &Frame, origin: Origin) -> bool {
    let is_engine_entry = |name: &str| {
        let entry = last_plain_segment(name);
        // The others are followed by more frames of the target, or of an exception's causes.
        FUZZ_ENTRIES.contains(&entry) && entry != "__libfuzzer_sys_run" && entry != "fuzzerTestOneInput"
    };
    matches!(origin, Origin::Engine | Origin::FuzzTarget)
        && frame.function.as_deref().is_some_and(is_engine_entry)
}

fn origin_of_name(function: &str, language: Language) -> Origin {
    if FUZZ_ENTRIES.contains(&last_plain_segment(function)) {
        return Origin::FuzzTarget;
    }
    if runtime::is_engine_function(function) {
        return Origin::Engine;
    }
    if runtime::is_reserved(function) {
        return Origin::Runtime;
    }
    match language {
        Language::Rust => origin_of_rust_name(function),
        // `read`, `free` and `clone` are libc's in C only.
        Language::Native if runtime::is_libc_function(function) => Origin::Runtime,
        Language::Native | Language::Managed => runtime::origin_of_foreign_name(function),
    }
}

/// A Rust path is the standard library's if all of its parts are: `<A as B>::m` belongs to the user if `A` or `B` does.
fn origin_of_rust_name(function: &str) -> Origin {
    let Some(inner) = function.strip_prefix('<') else {
        return origin_of_crate(first_segment(function));
    };
    let (self_type, rest) = inner.split_once(" as ").unwrap_or((inner, ""));
    let origins =
        [origin_of_type(self_type), if rest.is_empty() { Origin::Std } else { origin_of_type(rest) }];
    if origins.contains(&Origin::App) { Origin::App } else { origins[0].min(origins[1]) }
}

fn origin_of_type(text: &str) -> Origin {
    let path = text.trim_start_matches(['&', '*', '[', '(', '<', '\'', ' ']);
    let path = ["mut ", "const ", "dyn ", "impl "]
        .iter()
        .fold(path, |path, word| path.strip_prefix(word).unwrap_or(path));
    let head = first_segment(path);
    let is_path = path[head.len()..].starts_with("::") || path[head.len()..].starts_with('[');
    if is_path { origin_of_crate(head) } else { Origin::Std }
}

fn origin_of_crate(krate: &str) -> Origin {
    if RUST_STD_CRATES.contains(&krate) {
        Origin::Std
    } else if ENGINE_CRATES.contains(&krate) {
        Origin::Engine
    } else {
        Origin::App
    }
}

/// The identifier that a path starts with.
pub(crate) fn first_segment(path: &str) -> &str {
    let end = path.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(path.len());
    &path[..end]
}

/// The last `::`- or `.`-separated segment of the part before any generics or arguments.
fn last_plain_segment(function: &str) -> &str {
    let head = function.split(['(', '<']).next().unwrap_or(function);
    head.rsplit([':', '.']).next().unwrap_or(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(function: &str, file: &str, expect: Origin) {
        let file = (!file.is_empty()).then(|| file.to_owned());
        let frame = Frame { function: Some(function.to_owned()), file, ..Frame::default() };
        assert_eq!(frame.origin(), expect, "{function} in {:?}", frame.file);
    }

    #[test]
    fn a_users_function_is_never_hidden_by_a_prefix() {
        for function in [
            "mycrate::assert_valid",
            "new_codec::parse",
            "free_list::pop",
            "main_loop::run",
            "deleter::delete_all",
        ] {
            check(function, "/home/me/p/src/lib.rs", Origin::App);
            check(function, "", Origin::App);
        }
        check("goblin::elf::dyn::std::Dyn::parse", "", Origin::App);
        check("corelib::abort", "/home/me/corelib/src/lib.rs", Origin::App);
    }

    #[test]
    fn our_own_hook_that_turns_a_refused_allocation_into_a_panic_is_not_the_code_under_test() {
        let hook =
            "<shakedown_runtime::install_runtime::{closure#1} as core::ops::function::FnOnce<()>>::call_once";
        let cache = "/c/registry/src/0123/libfuzzer-sys-0.4.13/src/runtime.rs";
        let name = |function: &str, file: &str| {
            let file = (!file.is_empty()).then(|| file.to_owned());
            Frame { function: Some(function.to_owned()), file, ..Frame::default() }.origin()
        };
        for (function, file) in [(hook, ""), (hook, cache), ("{closure#1}", cache), ("note", cache)] {
            assert_ne!(name(function, file), Origin::App, "{function} {file}");
        }
    }

    #[test]
    fn an_impl_belongs_to_the_user_if_type_or_trait_does() {
        check("<mycrate::Parser as core::iter::Iterator>::next", "/home/me/p/src/lib.rs", Origin::App);
        check("<alloc::vec::Vec<u8> as mycrate::Ext>::read", "", Origin::App);
        check("<alloc::vec::Vec<mycrate::T> as core::ops::drop::Drop>::drop", "", Origin::Std);
        check("core::ptr::drop_in_place::<mycrate::Tree>", "", Origin::Std);
        check("<core::slice::iter::Iter<u8> as core::iter::Iterator>::next", "", Origin::Std);
    }

    #[test]
    fn a_qualified_name_beats_a_line_that_the_optimiser_borrowed_from_std() {
        let std = "/rustc/e50aa6fba4e63ab34c72bf9acfd2c307c1155d1a/library/core/src/slice/index.rs";
        check("<goblin::mach::MachO>::parse", std, Origin::App);
        check("parse", std, Origin::Std);
    }

    #[test]
    fn below_the_engines_entry_nothing_is_in_app() {
        let mut frames: Vec<Frame> = [
            "decode",
            "LLVMFuzzerTestOneInput",
            "fuzzer::Fuzzer::ExecuteCallback(unsigned char const*, unsigned long)",
            "main",
        ]
        .map(Frame::of_function)
        .into();
        mark_in_app(&mut frames);
        let in_app: Vec<bool> = frames.iter().map(|frame| frame.in_app).collect();
        assert_eq!(in_app, [true, true, false, false]);
    }
}
