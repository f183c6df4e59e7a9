//! A frame: one call of a stack, and whose code it is.
//!
//! Reading order: [`Frame`], [`origin`] (whose code: by crate and role), [`source`] (what a path says about it).
//! Nothing here looks at a file; debug information is read in `exec::symbolize`.

pub mod origin;
mod runtime;
pub mod source;

pub use origin::{Origin, mark_in_app};

/// One call of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frame {
    /// The function, demangled, otherwise as the log or the debug information spells it.
    pub function: Option<String>,
    /// The source file, as spelled there.
    pub file: Option<String>,
    /// The line, from 1. Zero in debug information means "merged by the optimiser" and is `None` here.
    pub line: Option<u32>,
    /// The column, from 1.
    pub column: Option<u32>,
    /// The binary or library.
    pub module: Option<String>,
    /// The address inside `module`.
    pub offset: Option<u64>,
    /// The address in the process that died: differs in every run.
    pub address: Option<u64>,
    /// Whether the call was inlined into the frame after it.
    pub inlined: bool,
    /// Whether this is code under test, not a runtime, an engine or the standard library.
    pub in_app: bool,
}

impl Frame {
    /// A frame of which only the function is known.
    pub fn of_function(function: impl Into<String>) -> Self {
        Self { function: Some(function.into()), ..Self::default() }
    }

    /// A frame of which only module and offset are known: to be resolved by `exec::symbolize`.
    pub fn of_offset(module: impl Into<String>, offset: u64) -> Self {
        Self { module: Some(module.into()), offset: Some(offset), ..Self::default() }
    }

    /// Whether this frame has no symbol yet, but could get one.
    pub fn is_raw(&self) -> bool {
        self.function.is_none() && self.module.is_some() && self.offset.is_some()
    }

    /// Whether the function's name says where it lives. Debug information of inlined Rust functions has the last
    /// segment only: `parse` instead of `goblin::elf::Elf::parse`.
    pub fn has_qualified_name(&self) -> bool {
        self.function.as_deref().is_some_and(|name| {
            name.starts_with('<') || name.split('<').next().is_some_and(|head| head.contains("::"))
        })
    }

    /// The file's last component.
    pub fn file_name(&self) -> Option<&str> {
        self.file.as_deref().and_then(|file| file.rsplit(['/', '\\']).next())
    }

    /// The family of languages that the function is written in, as far as its file or name can tell.
    pub(crate) fn language(&self) -> Language {
        const MANAGED: [&str; 8] = ["py", "go", "java", "kt", "js", "ts", "mjs", "swift"];
        let extension = self.file.as_deref().map_or("", source::extension);
        if self.is_rust() {
            Language::Rust
        } else if MANAGED.contains(&extension) {
            Language::Managed
        } else {
            Language::Native
        }
    }

    /// Whether the frame is of a Rust function, as far as its file or name can tell.
    pub fn is_rust(&self) -> bool {
        let has_rust_file = self.file.as_deref().is_some_and(|file| source::extension(file) == "rs");
        has_rust_file || (self.file.is_none() && self.function.as_deref().is_some_and(looks_like_rust))
    }
}

/// Families of languages, as far as names need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// Rust.
    Rust,
    /// C, C++ and what links with them.
    Native,
    /// Python, Go, Java, JavaScript, Swift: their names are never libc's.
    Managed,
}

/// Marks that only Rust names carry.
fn looks_like_rust(name: &str) -> bool {
    let marks = ["{closure", "{{closure}}", "{impl#", " as core::", " as std::", " as alloc::", "::<"];
    origin::RUST_STD_CRATES.contains(&origin::first_segment(name)) && !name.starts_with("std::__")
        || marks.iter().any(|mark| name.contains(mark))
        || crate::demangle::without_legacy_hash(name).len() < name.len()
        || (name.starts_with('<') && name.contains(" as "))
}
