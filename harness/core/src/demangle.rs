//! Demangling: Rust's legacy and v0 schemes and Itanium C++, with bounded effort.

use std::fmt::{self, Write as _};

/// Longest mangled name that is looked at; real ones stay below, hostile ones grow exponentially when demangled.
const MANGLED_BYTES_MAX: usize = 16 * 1024;
/// Longest demangled name that is kept.
const NAME_BYTES_MAX: usize = 8 * 1024;

/// `symbol` in readable form; what is not mangled comes back as it was.
///
/// The legacy hash (`::h0123456789abcdef`) is dropped: it changes at every rebuild and tells nobody anything.
pub fn demangle(symbol: &str) -> String {
    if symbol.len() > MANGLED_BYTES_MAX {
        return shortened(symbol);
    }
    let symbol = symbol.strip_prefix("__imp_").unwrap_or(symbol);
    if !is_mangled(symbol) {
        return shortened(without_legacy_hash(symbol));
    }
    if let Ok(name) = rustc_demangle::try_demangle(symbol) {
        let mut out = Bounded::default();
        // Out of room is no failure: what fits is kept.
        if write!(out, "{name:#}").is_ok() || !out.text.is_empty() {
            return out.text;
        }
    }
    demangle_cpp(symbol).map_or_else(|| shortened(without_legacy_hash(symbol)), |name| shortened(&name))
}

/// Whether `symbol` looks mangled at all.
pub fn is_mangled(symbol: &str) -> bool {
    ["_ZN", "_R", "__R", "ZN", "_Z", "__Z", "___Z"].iter().any(|prefix| symbol.starts_with(prefix))
        && !symbol.contains([' ', '(', '<'])
}

fn demangle_cpp(symbol: &str) -> Option<String> {
    if !symbol.starts_with("_Z") && !symbol.starts_with("__Z") {
        return None;
    }
    let limits = cpp_demangle::ParseOptions::default().recursion_limit(96);
    let parsed = cpp_demangle::BorrowedSymbol::with_tail_and_options(symbol.as_bytes(), &limits).ok()?.0;
    let options = cpp_demangle::DemangleOptions::new().no_return_type().recursion_limit(96);
    let mut out = Bounded::default();
    // Out of room is no failure: what fits is kept.
    match parsed.structured_demangle(&mut out, &options) {
        Ok(()) => Some(out.text),
        Err(fmt::Error) => (!out.text.is_empty()).then_some(out.text),
    }
}

/// The name without a trailing `::h` and 16 hex digits.
pub fn without_legacy_hash(name: &str) -> &str {
    let Some(at) = name.len().checked_sub("::h0123456789abcdef".len()) else { return name };
    let tail = &name.as_bytes()[at..];
    let is_hash = tail.starts_with(b"::h") && tail[3..].iter().all(u8::is_ascii_hexdigit);
    // All bytes of a hash are ASCII, so it starts at a character.
    if is_hash { &name[..at] } else { name }
}

/// A text that refuses to grow beyond [`NAME_BYTES_MAX`]: substitutions of a mangled name can double it at each step.
#[derive(Default)]
struct Bounded {
    text: String,
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.text.len() + part.len() > NAME_BYTES_MAX {
            return Err(fmt::Error);
        }
        self.text.push_str(part);
        Ok(())
    }
}

fn shortened(name: &str) -> String {
    let end = (0..=NAME_BYTES_MAX.min(name.len())).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
    name[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(symbol: &str, expect: &str) {
        assert_eq!(demangle(symbol), expect, "{symbol}");
    }

    #[test]
    fn legacy_and_v0_names_lose_hash_and_disambiguator() {
        check("_ZN7mycrate6parser5parse17h0123456789abcdefE", "mycrate::parser::parse");
        check("_RNvNtCs1234_7mycrate6parser5parse", "mycrate::parser::parse");
        check("mycrate::parse::hA380505b8ea313d4", "mycrate::parse");
        check("mycrate::parse::help", "mycrate::parse::help");
    }

    #[test]
    fn itanium_names_are_readable() {
        check(
            "_ZN6fuzzer6Fuzzer15ExecuteCallbackEPKhm",
            "fuzzer::Fuzzer::ExecuteCallback(unsigned char const*, unsigned long)",
        );
    }

    #[test]
    fn what_is_not_mangled_stays() {
        for name in ["main", "LLVMFuzzerTestOneInput", "", "_Z", "_R", "ü::x"] {
            check(name, name);
        }
    }

    #[test]
    fn a_name_that_explodes_is_cut() {
        let bomb = format!("_Z1fI{}E", "S_IS_IS_IS_".repeat(2000));
        assert!(demangle(&bomb).len() <= NAME_BYTES_MAX);
        assert!(demangle(&"x".repeat(1_000_000)).len() <= NAME_BYTES_MAX);
    }
}
