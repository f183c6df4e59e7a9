//! libFuzzer's command line: how a target is fuzzed and how it is run on given inputs.
//!
//! Flags: <https://llvm.org/docs/LibFuzzer.html#options>.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::build::flags::Sanitizer;
use crate::command::CommandSpec;
use crate::driver;

/// A program that speaks libFuzzer's flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// How it is started, without any flag of libFuzzer's.
    pub command: CommandSpec,
    /// The sanitizer in it, as far as we know: `Address` also where somebody else built it, since its environment
    /// variables do no harm to a program without it.
    pub sanitizer: Sanitizer,
    /// `ASAN_OPTIONS` that the user has set; ours come after them.
    pub inherited_asan_options: Option<String>,
    /// Whether our driver should be in it, since we built it.
    pub has_driver: bool,
}

/// The limits of one execution, in libFuzzer's terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionLimits {
    /// An execution that takes longer is a finding (`-timeout`, whole seconds).
    pub timeout: Duration,
    /// A process that grows larger is a finding (`-rss_limit_mb`).
    pub rss_mb_max: u64,
    /// A single allocation that is larger is a finding (`-malloc_limit_mb`); `None` is libFuzzer's default, the same as
    /// the limit of the process.
    pub malloc_mb_max: Option<u64>,
    /// The longest input that is tried (`-max_len`); `None` leaves it to libFuzzer.
    pub input_bytes_max: Option<u64>,
    /// More flags, as `name=value`, from the target's `.options` file and the configuration.
    pub more_flags: Vec<(String, String)>,
}

impl Default for ExecutionLimits {
    /// cargo-fuzz users' defaults, but for the timeout: libFuzzer's 1,200 s would eat any stage's budget; ClusterFuzz
    /// has 25 s.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(25),
            rss_mb_max: 2560,
            malloc_mb_max: None,
            input_bytes_max: None,
            more_flags: Vec::new(),
        }
    }
}

impl ExecutionLimits {
    /// The same limits for the driver. A caught panic is the code's own business, unless it reaches the target.
    pub fn for_driver(&self) -> driver::Limits {
        let memory_mb = self.malloc_mb_max.unwrap_or(self.rss_mb_max);
        driver::Limits {
            time: self.timeout,
            memory_mb: u32::try_from(memory_mb).unwrap_or(u32::MAX),
            caught_panics: driver::CaughtPanics::Ignored,
        }
    }

    fn flags(&self) -> Vec<String> {
        let mut flags = vec![
            format!("-timeout={}", self.timeout.as_secs().max(1)),
            format!("-rss_limit_mb={}", self.rss_mb_max),
        ];
        flags.extend(self.malloc_mb_max.map(|mb| format!("-malloc_limit_mb={mb}")));
        flags.extend(self.input_bytes_max.map(|bytes| format!("-max_len={bytes}")));
        flags.extend(
            self.more_flags.iter().map(|(name, value)| format!("-{}={value}", name.trim_start_matches('-'))),
        );
        flags
    }
}

/// One process that fuzzes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fuzzing<'a> {
    /// Where inputs that reach something new are read and written.
    pub corpus: &'a Path,
    /// Where inputs that crash are written.
    pub artifacts: &'a Path,
    /// How long it fuzzes.
    pub time: Duration,
    /// Tokens of the input format.
    pub dictionary: Option<&'a Path>,
    /// What the random numbers start from.
    pub seed: u32,
}

impl Program {
    /// The command that fuzzes.
    pub fn fuzz(&self, fuzzing: &Fuzzing<'_>, limits: &ExecutionLimits) -> CommandSpec {
        let mut spec = self
            .base(Backtrace::Off)
            .arg(fuzzing.corpus)
            .arg(flag_with_folder("-artifact_prefix=", fuzzing.artifacts))
            .arg(format!("-max_total_time={}", whole_seconds(fuzzing.time)))
            .arg(format!("-seed={}", fuzzing.seed))
            .arg("-print_final_stats=1")
            .args(limits.flags());
        if let Some(dictionary) = fuzzing.dictionary {
            let mut flag = std::ffi::OsString::from("-dict=");
            flag.push(dictionary);
            spec = spec.arg(flag);
        }
        spec
    }

    /// The command that runs the given inputs, one after the other, and stops at the first that crashes.
    pub fn replay(&self, inputs: &[PathBuf], artifacts: &Path, limits: &ExecutionLimits) -> CommandSpec {
        // Without a sanitizer libFuzzer prints no stack, so the panic's own is all there is.
        let backtrace = match self.sanitizer {
            Sanitizer::Address => Backtrace::Off,
            Sanitizer::None => Backtrace::Full,
        };
        self.base(backtrace)
            .arg(flag_with_folder("-artifact_prefix=", artifacts))
            .args(limits.flags())
            .args(inputs)
    }

    /// The short line that a developer pastes to see one input crash with symbols.
    pub fn replay_by_hand(&self, input: &Path) -> CommandSpec {
        self.command.clone().env("RUST_BACKTRACE", "1").arg(input)
    }

    fn base(&self, backtrace: Backtrace) -> CommandSpec {
        // Symbols are resolved in our own process: 150 to 500 ms a crash would go into it here. The sanitizer's check
        // for one definition of each global trips over statics that Rust duplicates (cargo-fuzz switches it off too).
        let ours = "symbolize=0:detect_odr_violation=0";
        let asan_options = match &self.inherited_asan_options {
            Some(theirs) if !theirs.is_empty() => format!("{theirs}:{ours}"),
            Some(_) | None => ours.to_owned(),
        };
        self.command
            .clone()
            .env("ASAN_OPTIONS", asan_options)
            .env("RUST_BACKTRACE", backtrace.as_str())
            .env_remove("RUST_LIB_BACKTRACE")
    }
}

#[derive(Clone, Copy)]
enum Backtrace {
    Off,
    Full,
}

impl Backtrace {
    fn as_str(self) -> &'static str {
        match self {
            Self::Off => "0",
            Self::Full => "full",
        }
    }
}

/// libFuzzer takes the prefix literally, so a folder must end in a slash.
fn flag_with_folder(flag: &str, folder: &Path) -> std::ffi::OsString {
    let mut word = std::ffi::OsString::from(flag);
    word.push(folder);
    word.push("/");
    word
}

/// libFuzzer counts whole seconds, and 0 is no limit.
fn whole_seconds(time: Duration) -> u64 {
    (time + Duration::from_millis(500)).as_secs().max(1)
}

/// Whether a file is a program that speaks libFuzzer's flags, by the name of the function that all of them have. `Err` is
/// a sentence for people.
pub fn is_libfuzzer_program(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = std::fs::metadata(path).map_err(|error| format!("`{}`: {error}", path.display()))?;
    if !metadata.is_file() || metadata.permissions().mode() & 0o111 == 0 {
        return Err(format!("`{}` is not an executable file", path.display()));
    }
    let program = std::fs::read(path).map_err(|error| format!("`{}`: {error}", path.display()))?;
    let is_fuzzer = memchr::memmem::find(&program, b"LLVMFuzzerTestOneInput").is_some();
    // A script can start a fuzzer; what it does is seen when it runs.
    if is_fuzzer || program.starts_with(b"#!") {
        Ok(())
    } else {
        Err(format!("`{}` is no libFuzzer target: it has no LLVMFuzzerTestOneInput", path.display()))
    }
}

/// What kind of file libFuzzer left, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ArtifactKind {
    /// `crash-…`
    Crash,
    /// `oom-…`
    OutOfMemory,
    /// `timeout-…`
    Timeout,
    /// `leak-…`
    Leak,
    /// `slow-unit-…`: no crash, and the process went on.
    SlowUnit,
}

impl ArtifactKind {
    /// Reads a file's name; `None` for files that are none of libFuzzer's.
    pub fn of(name: &str) -> Option<Self> {
        let kinds = [
            ("crash-", Self::Crash),
            ("oom-", Self::OutOfMemory),
            ("timeout-", Self::Timeout),
            ("leak-", Self::Leak),
            ("slow-unit-", Self::SlowUnit),
        ];
        kinds.into_iter().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, kind)| kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fuzzing_is_a_line_that_can_be_pasted() {
        let program = Program {
            command: CommandSpec::new("/b/parse"),
            sanitizer: Sanitizer::Address,
            inherited_asan_options: Some("detect_leaks=0".to_owned()),
            has_driver: false,
        };
        let limits = ExecutionLimits {
            malloc_mb_max: Some(100),
            more_flags: vec![("len_control".to_owned(), "0".to_owned())],
            ..ExecutionLimits::default()
        };
        let fuzzing = Fuzzing {
            corpus: Path::new("/c"),
            artifacts: Path::new("/a"),
            time: Duration::from_millis(400),
            dictionary: Some(Path::new("/d/x.dict")),
            seed: 7,
        };
        assert_eq!(
            program.fuzz(&fuzzing, &limits).to_string(),
            "env -u RUST_LIB_BACKTRACE ASAN_OPTIONS=detect_leaks=0:symbolize=0:detect_odr_violation=0 \
             RUST_BACKTRACE=0 /b/parse /c -artifact_prefix=/a/ -max_total_time=1 -seed=7 \
             -print_final_stats=1 -timeout=25 -rss_limit_mb=2560 -malloc_limit_mb=100 -len_control=0 -dict=/d/x.dict"
        );
    }

    #[test]
    fn only_libfuzzers_own_files_are_artifacts() {
        assert_eq!(ArtifactKind::of("oom-da39a3ee"), Some(ArtifactKind::OutOfMemory));
        assert_eq!(ArtifactKind::of("README.md"), None);
    }
}
