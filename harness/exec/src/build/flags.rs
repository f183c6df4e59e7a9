//! The compiler flags of a fuzz build: the same as cargo-fuzz 0.13's, so that coverage means the same.

use shakedown_core::input::InputId;

use crate::toolchain::{Channel, Toolchain};

/// Settings of cargo's release profile that every fuzz build has, whatever the workspace says.
///
/// * `LTO` off: with it the linker misses `__sancov_gen_.N` symbols (seen with `lto = true` in a workspace's profile).
/// * `PANIC` unwind: libfuzzer-sys catches panics.
/// * `DEBUG` line tables: stacks get lines; full debug information would double the link time.
/// * `STRIP` none: a stripped binary has no names for its stacks.
pub const PROFILE: [(&str, &str); 5] = [
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_PANIC", "unwind"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "line-tables-only"),
    ("CARGO_PROFILE_RELEASE_STRIP", "none"),
    // Incremental compilation splits crates into units, which `-Ccodegen-units=1` is there to avoid.
    ("CARGO_PROFILE_RELEASE_INCREMENTAL", "false"),
];

/// Coverage counters, PC table, comparison tracing and stack depth, as libFuzzer wants them.
const COVERAGE: [&str; 9] = [
    "--cfg",
    "fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-sanitizer-coverage-stack-depth",
    // Keeps branches that the optimiser would fold into one comparison, which hides progress from libFuzzer.
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
];

/// One codegen unit makes fuzz targets several times faster (cargo-fuzz's own measurement); debug assertions find
/// overflows and violated preconditions of unsafe code.
const CODE: [&str; 2] = ["-Ccodegen-units=1", "-Cdebug-assertions"];

/// What watches memory while a target runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sanitizer {
    /// AddressSanitizer, with LeakSanitizer in it.
    Address,
    /// Nothing: panics are found, most memory errors are not.
    None,
}

impl Sanitizer {
    /// The word for configuration and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::None => "none",
        }
    }
}

/// How targets are instrumented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Instrumentation {
    /// The sanitizer.
    pub sanitizer: Sanitizer,
}

impl Instrumentation {
    /// AddressSanitizer where the toolchain has it; `wanted` overrides. The sentence says what was decided and why.
    pub fn choose(toolchain: &Toolchain, wanted: Option<Sanitizer>) -> (Self, String) {
        let (sanitizer, why) = match (wanted, toolchain.has_address_sanitizer, toolchain.channel) {
            (Some(Sanitizer::None), _, _) => (Sanitizer::None, "no sanitizer, as configured".to_owned()),
            (_, false, _) => (
                Sanitizer::None,
                "no sanitizer: this toolchain has no AddressSanitizer runtime, so most memory errors stay unseen".to_owned(),
            ),
            (_, true, Channel::Nightly) => (Sanitizer::Address, "AddressSanitizer".to_owned()),
            (_, true, Channel::Stable) => (
                Sanitizer::Address,
                "AddressSanitizer through RUSTC_BOOTSTRAP=1, since there is no nightly toolchain".to_owned(),
            ),
        };
        (Self { sanitizer }, why)
    }

    /// Whether the switch for unstable flags is needed.
    pub fn needs_bootstrap(self, toolchain: &Toolchain) -> bool {
        match (self.sanitizer, toolchain.channel) {
            (Sanitizer::Address, Channel::Stable) => true,
            (Sanitizer::Address, Channel::Nightly) | (Sanitizer::None, _) => false,
        }
    }

    /// The whole of `RUSTFLAGS`.
    pub fn rustflags(self, inherited: Option<&str>) -> String {
        let sanitizer = match self.sanitizer {
            Sanitizer::Address => Some("-Zsanitizer=address"),
            Sanitizer::None => None,
        };
        let inherited = inherited.map(str::trim).filter(|flags| !flags.is_empty());
        inherited.into_iter().chain(COVERAGE).chain(CODE).chain(sanitizer).collect::<Vec<_>>().join(" ")
    }

    /// The folder of builds that may share compiled units: one a toolchain, instrumentation and `runtime`.
    pub fn build_name(self, toolchain: &Toolchain, runtime: &str) -> String {
        let what = format!("{} {} {} {runtime}", toolchain.version, toolchain.host, self.rustflags(None));
        let id = InputId::of(what.as_bytes());
        format!("{}-{}", self.sanitizer.as_str(), &id.as_str()[..8])
    }
}
