//! The environment variables that mean something to us: all of them, with what they mean.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use shakedown_exec::driver::runtime::Sources;
use shakedown_exec::driver::wrapper::{
    INNER_VARIABLE, ORIGINAL_VARIABLE, RUNTIME_VARIABLE, SUBSTITUTE_VARIABLE, Substitution,
};

/// The time budget, such as `10m`.
pub(crate) const FOR: &str = "SHAKEDOWN_FOR";
/// Processes that fuzz at once.
pub(crate) const JOBS: &str = "SHAKEDOWN_JOBS";
/// What random choices start from.
pub(crate) const SEED: &str = "SHAKEDOWN_SEED";
/// `auto`, `address` or `none`.
pub(crate) const SANITIZER: &str = "SHAKEDOWN_SANITIZER";
/// The rustup toolchain that builds the targets.
pub(crate) const TOOLCHAIN: &str = "SHAKEDOWN_TOOLCHAIN";
/// The folder for what is remembered.
pub(crate) const STATE: &str = "SHAKEDOWN_STATE";
/// The folder for what all projects of this user share.
pub(crate) const CACHE: &str = "SHAKEDOWN_CACHE";
/// Outcomes that exit with 1, comma-separated.
pub(crate) const FAIL_ON: &str = "SHAKEDOWN_FAIL_ON";
/// Set to anything: no colours (<https://no-color.org>).
pub(crate) const NO_COLOR: &str = "NO_COLOR";
/// The user's cache folder (XDG base directory specification).
pub(crate) const XDG_CACHE_HOME: &str = "XDG_CACHE_HOME";
/// The user's home folder.
pub(crate) const HOME: &str = "HOME";
/// The C++ compiler for libFuzzer.
pub(crate) const CXX: &str = "CXX";
/// The user's compiler flags; a fuzz build's own come after them.
pub(crate) const RUSTFLAGS: &str = "RUSTFLAGS";
/// The user's own wrapper of the compiler, such as sccache; ours calls it.
pub(crate) const RUSTC_WRAPPER: &str = "RUSTC_WRAPPER";
/// The user's options for AddressSanitizer; ours come after them.
pub(crate) const ASAN_OPTIONS: &str = "ASAN_OPTIONS";
/// Terminals that cannot move their cursor say `dumb`.
pub(crate) const TERM: &str = "TERM";

/// All of the above, in the order in which `doctor` shows them.
pub(crate) const ALL: [&str; 16] = [
    FOR,
    JOBS,
    SEED,
    SANITIZER,
    TOOLCHAIN,
    STATE,
    CACHE,
    FAIL_ON,
    NO_COLOR,
    XDG_CACHE_HOME,
    HOME,
    CXX,
    RUSTFLAGS,
    RUSTC_WRAPPER,
    ASAN_OPTIONS,
    TERM,
];

/// What we tell ourselves when cargo calls this program in the place of the compiler. Nobody sets these by hand.
const INTERNAL: [&str; 4] = [ORIGINAL_VARIABLE, SUBSTITUTE_VARIABLE, RUNTIME_VARIABLE, INNER_VARIABLE];

/// The variables of this process, read once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Variables(BTreeMap<&'static str, OsString>);

impl Variables {
    /// Reads them.
    #[expect(clippy::disallowed_methods, reason = "this is the door through which variables are read")]
    pub(crate) fn read() -> Self {
        Self(
            ALL.into_iter()
                .chain(INTERNAL)
                .filter_map(|name| Some((name, std::env::var_os(name)?)))
                .collect(),
        )
    }

    /// What is to be compiled in the place of what, where cargo calls this program as its compiler.
    pub(crate) fn substitution(&self) -> Option<Substitution> {
        Some(Substitution {
            sources: Sources {
                original: self.get(ORIGINAL_VARIABLE)?.into(),
                substitute: self.get(SUBSTITUTE_VARIABLE)?.into(),
                runtime: self.get(RUNTIME_VARIABLE)?.into(),
            },
            inner: self.get(INNER_VARIABLE).map(OsStr::to_owned),
        })
    }

    /// A variable's value; one that is set to nothing counts as not set.
    pub(crate) fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(name).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// A variable's value as text; what is no UTF-8 is shown with U+FFFD and then refused by whoever parses it.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(|value| value.to_string_lossy().into_owned())
    }
}

#[cfg(test)]
impl Variables {
    /// Variables for a test.
    pub(crate) fn of(values: &[(&'static str, &str)]) -> Self {
        Self(values.iter().map(|&(name, value)| (name, value.into())).collect())
    }
}
