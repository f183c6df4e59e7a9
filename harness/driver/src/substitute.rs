//! The user's own locked libfuzzer-sys, with the fewest changes that let panics come back from the target's boundary.
//!
//! libfuzzer-sys aborts in its panic hook and, should that not happen, when its `catch_unwind` returns an error; its
//! macro puts the target into an `extern "C"` function, out of which nothing can unwind. Three places of its text are
//! changed, in which it calls [`RUNTIME`]; its API, macros, features and version stay as the project locked them. A text
//! that doesn't look as expected is not touched at all.

/// The crate that the changed text calls, under the name [`RUNTIME_CRATE`].
pub const RUNTIME: &str = include_str!("../runtime/runtime.rs");

/// The name of [`RUNTIME`].
pub const RUNTIME_CRATE: &str = "shakedown_runtime";

/// The function that the target's macro defines and libfuzzer-sys calls.
const TARGET: &str = "fn rust_fuzzer_test_input(";

/// Where a text of libfuzzer-sys's `src/lib.rs` is not what we know how to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unrecognised {
    /// There is no `extern "C"` block that declares the target.
    Declaration,
    /// There is no macro that defines the target as an `extern "C"` function.
    Macro,
    /// There is no function that catches the target's panics and aborts.
    Boundary,
    /// The crate has modules in files of their own, which a copy would not find.
    Modules,
}

impl std::fmt::Display for Unrecognised {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Declaration => "it does not declare `rust_fuzzer_test_input` in an `extern \"C\"` block",
            Self::Macro => "its macro does not define `rust_fuzzer_test_input` as an `extern \"C\"` function",
            Self::Boundary => "its `test_input_wrap` does not abort after a caught panic",
            Self::Modules => "it has modules in files of their own",
        })
    }
}

impl std::error::Error for Unrecognised {}

/// `lib_rs`, changed so that panics are caught.
pub fn substitute(lib_rs: &str) -> Result<String, Unrecognised> {
    if lib_rs.lines().any(is_module_in_a_file) {
        return Err(Unrecognised::Modules);
    }
    let declared = let_the_declaration_unwind(lib_rs)?;
    let defined = let_the_macro_unwind(&declared)?;
    return_from_the_boundary(&defined)
}

fn is_module_in_a_file(line: &str) -> bool {
    let line = line.trim();
    (line.starts_with("mod ") || line.starts_with("pub mod ")) && line.ends_with(';')
}

fn let_the_declaration_unwind(text: &str) -> Result<String, Unrecognised> {
    const BLOCK: &str = "extern \"C\" {";
    let block = text
        .match_indices(BLOCK)
        .find(|(at, _)| text[*at..].split('}').next().is_some_and(|body| body.contains(TARGET)))
        .ok_or(Unrecognised::Declaration)?
        .0;
    Ok([&text[..block], "extern \"C-unwind\" {", &text[block + BLOCK.len()..]].concat())
}

fn let_the_macro_unwind(text: &str) -> Result<String, Unrecognised> {
    let unwinding = format!("extern \"C-unwind\" {TARGET}");
    // Both spellings mean the same ABI.
    let changed = text
        .replace(&format!("extern \"C\" {TARGET}"), &unwinding)
        .replace(&format!("extern {TARGET}"), &unwinding);
    if changed.contains(&unwinding) { Ok(changed) } else { Err(Unrecognised::Macro) }
}

fn return_from_the_boundary(text: &str) -> Result<String, Unrecognised> {
    const ABORT: &str = "::std::process::abort();";
    let function = text.find("fn test_input_wrap(").ok_or(Unrecognised::Boundary)?;
    let end = text[function..].find("\n}").ok_or(Unrecognised::Boundary)? + function;
    let abort = text[function..end].find(ABORT).ok_or(Unrecognised::Boundary)? + function;
    Ok([&text[..abort], "return ::shakedown_runtime::panic_arrived();", &text[abort + ABORT.len()..]]
        .concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shape of libfuzzer-sys's file, without its words.
    const KNOWN: &str = r#"//! Docs.
extern "C" {
    fn LLVMFuzzerMutate(data: *mut u8) -> usize;
}
extern "C" {
    fn rust_fuzzer_test_input(input: &[u8]) -> i32;
}
pub unsafe fn test_input_wrap(data: *const u8) -> i32 {
    match caught {
        Err(_) => {
            ::std::process::abort();
        }
    }
}
pub fn initialize() -> isize {
    ::std::process::abort();
}
macro_rules! fuzz_target {
    () => { pub extern "C" fn rust_fuzzer_test_input(bytes: &[u8]) -> i32 { 0 } };
    ($t:ty) => { pub extern fn rust_fuzzer_test_input(bytes: &[u8]) -> i32 { 0 } };
}
"#;

    #[test]
    fn only_the_targets_way_out_is_changed() {
        let kept = substitute(KNOWN).unwrap();
        let differing: Vec<(&str, &str)> =
            KNOWN.lines().zip(kept.lines()).filter(|(before, after)| before != after).collect();
        assert_eq!(kept.lines().count(), KNOWN.lines().count());
        assert_eq!(differing.len(), 4, "{differing:?}");
        assert!(kept.contains("extern \"C\" {\n    fn LLVMFuzzerMutate"), "the other block is as it was");
        assert!(
            kept.ends_with(
                &KNOWN[KNOWN.find("macro_rules").unwrap()..]
                    .replace("extern \"C\" fn", "extern fn")
                    .replace("extern fn", "extern \"C-unwind\" fn")
            )
        );
        assert!(
            kept.contains("pub fn initialize() -> isize {\n    ::std::process::abort();"),
            "the hook stays"
        );
    }

    #[test]
    fn a_text_of_another_shape_is_refused_by_what_is_missing() {
        assert_eq!(substitute(""), Err(Unrecognised::Declaration));
        assert_eq!(
            substitute(&KNOWN.replace("macro_rules", "mod other;\nmacro_rules")),
            Err(Unrecognised::Modules)
        );
        let no_macro = &KNOWN[..KNOWN.find("macro_rules").unwrap()];
        assert_eq!(substitute(no_macro), Err(Unrecognised::Macro));
        let no_abort = KNOWN.replace("Err(_) => {\n            ::std::process::abort();", "Err(_) => {");
        assert_eq!(substitute(&no_abort), Err(Unrecognised::Boundary));
    }
}
