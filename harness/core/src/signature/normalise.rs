//! One spelling for a function, whatever compiler, tool and machine named it.
//!
//! Erased: symbol hashes, disambiguators, generic arguments, closures, `impl` blocks, argument lists, return types, versions,
//! and everything of a path before the crate's own folder. Kept: the file inside its crate, the type and the function.
//! Module paths go, because debug information of inlined functions lacks them and the file says the same.

use crate::demangle::without_legacy_hash;
use crate::frame::source::{Source, extension, source_of};
use crate::frame::{Frame, origin};

/// A function in normal form. Ordered and compared by its parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FunctionKey {
    /// `goblin:src/elf/dyn.rs` for a published crate, `src/parse.rs` in a project; empty where the name says enough.
    pub place: String,
    /// The type or trait that the function belongs to, where the name says so.
    pub owner: String,
    /// The function's own name.
    pub name: String,
}

impl FunctionKey {
    /// The normal form as text.
    pub fn describe(&self) -> String {
        let parts = [self.place.as_str(), self.owner.as_str(), self.name.as_str()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("::")
    }
}

/// The normal form of a frame's function; `None` for a closure without a name of its own, and for raw frames.
pub fn function_key(frame: &Frame) -> Option<FunctionKey> {
    // Erased for every language: where a file is missing or odd, a Rust name can look like another's.
    let function = without_legacy_hash(frame.function.as_deref()?);
    if frame.is_rust() {
        return rust_function_key(frame);
    }
    let key = match frame.file.as_deref().map_or("", extension) {
        "go" => FunctionKey { name: go_name(function), ..FunctionKey::default() },
        "py" => FunctionKey { place: file_name(frame), name: function.to_owned(), ..FunctionKey::default() },
        "js" | "ts" | "mjs" | "cjs" => FunctionKey {
            place: file_name(frame),
            name: function.trim_start_matches("Object.").to_owned(),
            ..FunctionKey::default()
        },
        "java" | "kt" => FunctionKey { name: jvm_name(function), ..FunctionKey::default() },
        _ => FunctionKey { name: cpp_name(function), ..FunctionKey::default() },
    };
    (!key.name.is_empty()).then_some(key)
}

/// The same for a frame that is known to be Rust's, though it may have no file to say so.
pub fn rust_function_key(frame: &Frame) -> Option<FunctionKey> {
    rust_key(without_legacy_hash(frame.function.as_deref()?), frame.file.as_deref())
}

fn file_name(frame: &Frame) -> String {
    frame.file_name().unwrap_or_default().to_owned()
}

/// The path of a Rust source file from its crate's folder, with the crate's name if it is a published one.
pub fn place_of(file: &str) -> String {
    match source_of(file) {
        Source::RustStd { krate, path } => format!("{krate}:{path}"),
        Source::Published { krate, path } => format!("{}:{path}", krate.replace('-', "_")),
        Source::Project { path } => path.replace('\\', "/"),
        Source::Runtime => String::new(),
    }
}

fn rust_key(function: &str, file: Option<&str>) -> Option<FunctionKey> {
    let path = rust_path(function);
    let name = path.last()?.clone();
    let owner = path
        .len()
        .checked_sub(2)
        .map(|at| &path[at])
        .filter(|owner| is_type(owner))
        .cloned()
        .unwrap_or_default();
    let place = match file.map(source_of) {
        // A line that the optimiser borrowed from std says nothing about this function; so its crate must do.
        Some(Source::RustStd { .. }) | None => {
            path.first().filter(|_| path.len() > 1).cloned().unwrap_or_default()
        }
        Some(Source::Published { .. } | Source::Project { .. } | Source::Runtime) => {
            file.map(place_of).unwrap_or_default()
        }
    };
    let place = if place == owner { String::new() } else { place };
    Some(FunctionKey { place, owner, name })
}

fn is_type(segment: &str) -> bool {
    segment.starts_with(|c: char| c.is_uppercase()) || matches!(segment, "[]" | "str" | "dyn")
}

/// The segments of a Rust path: generics, closures and impl blocks erased, `<T as Trait>` reduced to what is the user's.
pub fn rust_path(function: &str) -> Vec<String> {
    let function = without_legacy_hash(function.split(".llvm.").next().unwrap_or(function));
    let mut segments = Vec::new();
    for (at, segment) in top_level_segments(function).into_iter().enumerate() {
        match segment.strip_prefix('<') {
            // Behind the first segment, brackets hold generic arguments, except in the legacy spelling of an impl.
            Some(inner) if at == 0 || inner.starts_with("impl ") => {
                push_impl(inner.strip_suffix('>').unwrap_or(inner), &mut segments);
            }
            Some(_) => {}
            None => push_segment(segment, &mut segments),
        }
    }
    segments
}

fn push_segment(segment: &str, segments: &mut Vec<String>) {
    let name = segment.split(['<', '[']).next().unwrap_or(segment).trim();
    let name = name.strip_prefix("r#").unwrap_or(name);
    let is_erased = name.is_empty() || name == "_" || name.starts_with('{');
    if !is_erased {
        segments.push(name.to_owned());
    }
}

/// `T`, `T as Trait`, `impl Trait for T`: pushes the segments of the type, or of the trait where the type is not the user's.
fn push_impl(inner: &str, segments: &mut Vec<String>) {
    let inner = inner.strip_prefix("impl ").unwrap_or(inner);
    let (type_text, trait_text) = match split_once_top_level(inner, " as ") {
        Some((type_text, trait_text)) => (type_text, trait_text),
        None => match split_once_top_level(inner, " for ") {
            Some((trait_text, type_text)) => (type_text, trait_text),
            None => (inner, ""),
        },
    };
    let mut path = type_path(type_text);
    // A blanket impl or a trait's own method has the caller's type as `Self`. It says nothing, except where it is unsized,
    // because blanket impls are for sized types.
    let is_unsized = matches!(path.first().map(String::as_str), Some("[]" | "str" | "dyn"));
    let is_foreign =
        path.len() < 2 || path.first().is_some_and(|krate| origin::RUST_STD_CRATES.contains(&krate.as_str()));
    if is_foreign && !is_unsized && !trait_text.is_empty() {
        path = type_path(trait_text);
    }
    segments.extend(path);
}

/// The path of a type: references, pointers and generic arguments erased, a slice is `[]`.
fn type_path(text: &str) -> Vec<String> {
    let mut text = text.trim();
    loop {
        let before = text;
        text = text.trim_start_matches(['&', '*', ' ']);
        if text.starts_with('\'') {
            text = text.split_once(' ').map_or("", |(_, rest)| rest);
        }
        for word in ["mut ", "const "] {
            text = text.strip_prefix(word).unwrap_or(text);
        }
        if text == before {
            break;
        }
    }
    if text.starts_with('[') {
        return vec!["[]".to_owned()];
    }
    if text.starts_with("dyn ") || text.starts_with("(dyn ") {
        return vec!["dyn".to_owned()];
    }
    let mut path = Vec::new();
    for segment in top_level_segments(text.trim_start_matches(['<', '('])) {
        push_segment(segment, &mut path);
    }
    path
}

/// Splits at `::` outside of brackets. One pass; brackets that don't match change only what is split.
fn top_level_segments(text: &str) -> Vec<&str> {
    const SEGMENTS_MAX: usize = 64;
    let bytes = text.as_bytes();
    let mut segments = Vec::new();
    let (mut depth, mut start, mut at) = (0_usize, 0, 0);
    while at < bytes.len() && segments.len() < SEGMENTS_MAX {
        match bytes[at] {
            b'<' | b'(' | b'[' | b'{' => depth += 1,
            b'>' if at > 0 && matches!(bytes[at - 1], b'-' | b'=') => {}
            b'>' | b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b':' if depth == 0 && bytes.get(at + 1) == Some(&b':') => {
                segments.push(&text[start..at]);
                start = at + 2;
                at += 1;
            }
            _ => {}
        }
        at += 1;
    }
    segments.push(&text[start..]);
    segments
}

/// Splits at the first `word` outside of brackets.
fn split_once_top_level<'a>(text: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    for at in 0..bytes.len() {
        match bytes[at] {
            b'<' | b'(' | b'[' | b'{' => depth += 1,
            b'>' if at > 0 && matches!(bytes[at - 1], b'-' | b'=') => {}
            b'>' | b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b' ' if depth == 0 && bytes[at..].starts_with(word.as_bytes()) => {
                return Some((&text[..at], &text[at + word.len()..]));
            }
            _ => {}
        }
    }
    None
}

/// `github.com/google/gonids.(*Rule).option.func1` → `gonids.(*Rule).option`.
fn go_name(function: &str) -> String {
    let name = function.rsplit('/').next().unwrap_or(function);
    let name = name.split('[').next().unwrap_or(name);
    let cut = name.find(".func").filter(|at| name[at + 5..].starts_with(|c: char| c.is_ascii_digit()));
    name[..cut.unwrap_or(name.len())].trim_end_matches("-fm").to_owned()
}

/// `a.B.lambda$run$0` → `a.B.run`, `a.B$$Lambda$3/0x0.get` → `a.B.get`.
fn jvm_name(function: &str) -> String {
    let (class, method) = function.rsplit_once('.').unwrap_or(("", function));
    let class = class.split("$$").next().unwrap_or(class);
    let method = method.strip_prefix("lambda$").and_then(|rest| rest.split('$').next()).unwrap_or(method);
    if class.is_empty() { method.to_owned() } else { format!("{class}.{method}") }
}

/// `void a::(anonymous namespace)::F<int>::g(int) const [clone .cold]` → `a::F::g`.
pub fn cpp_name(function: &str) -> String {
    let function = ["non-virtual thunk to ", "virtual thunk to ", "guard variable for "]
        .iter()
        .find_map(|words| function.strip_prefix(words))
        .unwrap_or(function);
    let mut name = String::new();
    let mut depth = 0_usize;
    let mut rest = function;
    while let Some(c) = rest.chars().next() {
        if depth == 0 {
            if let Some(after) = rest
                .strip_prefix("(anonymous namespace)::")
                .or_else(|| rest.strip_prefix("`anonymous namespace'::"))
            {
                rest = after;
                continue;
            }
            if is_operator(&name)
                && let Some((symbol, after)) = operator_symbol(rest)
            {
                name.push_str(symbol);
                rest = after;
                continue;
            }
            match c {
                '(' | '[' => break,
                '<' => depth = 1,
                '>' => {}
                // What stands before a space outside of brackets is a return type, except after `operator`.
                ' ' if is_operator(&name) => name.push(' '),
                ' ' if rest[1..].starts_with('<') => {}
                ' ' => name.clear(),
                _ => name.push(c),
            }
        } else {
            match c {
                '<' => depth += 1,
                '>' => depth -= 1,
                _ => {}
            }
        }
        rest = &rest[c.len_utf8()..];
    }
    let name = name.split(['.', '@']).next().filter(|head| !head.is_empty()).unwrap_or(&name);
    name.trim_end_matches("::").replace("std::__1::", "std::").replace("std::__cxx11::", "std::")
}

fn is_operator(name: &str) -> bool {
    name.ends_with("operator") && !name.ends_with("_operator")
}

fn operator_symbol(rest: &str) -> Option<(&str, &str)> {
    const SYMBOLS: [&str; 19] = [
        "()", "[]", "<=>", "<<=", ">>=", "->*", "->", "<<", ">>", "<=", ">=", "<", ">", "==", "!=", "&&",
        "||", "++", "--",
    ];
    SYMBOLS.iter().find_map(|symbol| rest.strip_prefix(symbol).map(|after| (&rest[..symbol.len()], after)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(function: &str, file: &str, expect: &str) {
        let file = (!file.is_empty()).then(|| file.to_owned());
        let frame = Frame { function: Some(function.to_owned()), file, ..Frame::default() };
        assert_eq!(function_key(&frame).map(|key| key.describe()).unwrap_or_default(), expect, "{function}");
    }

    #[test]
    fn a_rust_function_is_the_same_under_every_compiler() {
        let file = "/home/me/p/src/a.rs";
        for spelling in [
            "mycrate::a::parse",
            "mycrate::a::parse::h0123456789abcdef",
            "mycrate::a::parse::<u8, alloc::vec::Vec<u8>>",
            "mycrate[4fa8b1b3d2]::a::parse",
            "mycrate::a::parse::{closure#0}",
            "mycrate::a::parse::{{closure}}::h0123456789abcdef",
            "parse<u8, alloc::vec::Vec<u8, alloc::alloc::Global>>",
            "mycrate::a::parse.llvm.12345",
            "mycrate::a::parse::{async_fn#0}::{closure#1}",
        ] {
            check(spelling, file, "src/a.rs::parse");
        }
    }

    #[test]
    fn methods_of_two_types_stay_apart() {
        let file = "/home/me/p/src/a.rs";
        check(
            "<mycrate::a::Parser as core::iter::traits::iterator::Iterator>::next",
            file,
            "src/a.rs::Parser::next",
        );
        check("<mycrate::a::Parser>::next", file, "src/a.rs::Parser::next");
        check("mycrate::a::Parser<R>::next", file, "src/a.rs::Parser::next");
        check(
            "mycrate::a::<impl mycrate::Next for mycrate::a::Parser>::next",
            file,
            "src/a.rs::Parser::next",
        );
        check("<mycrate::a::Lexer<'_> as core::fmt::Display>::fmt", file, "src/a.rs::Lexer::fmt");
    }

    #[test]
    fn a_blanket_impl_is_named_by_its_trait_but_unsized_types_by_themselves() {
        let file = "/r/registry/src/x-1/scroll-0.5.0/src/ctx.rs";
        check(
            "<std::io::Cursor<&[u8]> as scroll::ctx::Pread>::pread",
            file,
            "scroll:src/ctx.rs::Pread::pread",
        );
        check(
            "<[u8] as scroll::ctx::TryRefFromCtx>::try_ref_from_ctx",
            file,
            "scroll:src/ctx.rs::[]::try_ref_from_ctx",
        );
        check(
            "<str as scroll::ctx::TryRefFromCtx>::try_ref_from_ctx",
            file,
            "scroll:src/ctx.rs::str::try_ref_from_ctx",
        );
    }

    #[test]
    fn a_bare_closure_has_no_name() {
        check("{closure#0}", "/home/me/p/src/a.rs", "");
        check("{closure_env#0}<u8>", "/home/me/p/src/a.rs", "");
    }

    #[test]
    fn a_cpp_function_loses_arguments_templates_and_return_type() {
        check("void a::(anonymous namespace)::F<int, b<c> >::g(int) const", "f.cc", "a::F::g");
        check("a::operator<<(std::ostream&, int)", "f.cc", "a::operator<<");
        check("a::F::operator()(int) const", "f.cc", "a::F::operator()");
        check("bool a::operator< <int>(int)", "f.cc", "a::operator<");
        check("f(int)::$_0::operator()(int) const", "f.cc", "f");
        check("non-virtual thunk to A::b()", "f.cc", "A::b");
        check("decode_block.part.3", "f.c", "decode_block");
        check("unsigned long decode<int>(int)", "f.cc", "decode");
    }

    #[test]
    fn other_languages_lose_their_lambdas() {
        check("github.com/google/gonids.(*Rule).option.func1.2", "/x/parser.go", "gonids.(*Rule).option");
        check("com.example.A.lambda$run$0", "A.java", "com.example.A.run");
        check("read", "/usr/lib/python3/gzip.py", "gzip.py::read");
    }
}
