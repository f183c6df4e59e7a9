//! What the fakes that play fuzzers share: libFuzzer's flags, status lines, reports and files, in its own words.
//!
//! A fake says which of its inputs are bad ([`play`]); everything else is as in LLVM's `FuzzerDriver.cpp` and
//! `FuzzerLoop.cpp`. It does not mutate: inputs are numbers counted up from the seed, so a fake is quick to find things.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use shakedown_core::input::InputId;

/// The name by which shakedown knows a libFuzzer program; printed, so that it is in the program.
const MARK: &str = "LLVMFuzzerTestOneInput";

/// How often a status line is printed.
const PULSE: Duration = Duration::from_millis(200);

/// The pause between executions: a fake has nothing to compute and must leave the core to others.
const EXECUTION_TIME: Duration = Duration::from_millis(2);

/// The exit status after a crash, `-error_exitcode`'s default.
pub const CRASH_STATUS: u8 = 77;

/// A command line of libFuzzer's.
#[derive(Debug, Clone, Default)]
pub struct CommandLine {
    /// Where inputs that crash are written.
    pub artifact_prefix: String,
    /// How long it fuzzes; `None` is for ever.
    pub time_max: Option<Duration>,
    /// Where the numbers start.
    pub seed: u64,
    /// Folders of inputs.
    pub corpora: Vec<PathBuf>,
    /// Inputs to run; none means to fuzz.
    pub inputs: Vec<PathBuf>,
}

impl CommandLine {
    /// Reads this program's own; flags that a fake has no use for are passed over.
    pub fn read() -> Self {
        let mut line = Self::default();
        for word in std::env::args().skip(1) {
            match word.strip_prefix('-').and_then(|flag| flag.split_once('=')) {
                Some(("artifact_prefix", prefix)) => prefix.clone_into(&mut line.artifact_prefix),
                Some(("max_total_time", seconds)) => {
                    line.time_max = seconds.parse().ok().filter(|n| *n > 0).map(Duration::from_secs);
                }
                Some(("seed", seed)) => line.seed = seed.parse().unwrap_or(1),
                Some(_) => {}
                None if Path::new(&word).is_dir() => line.corpora.push(word.into()),
                None if word.starts_with('-') => {}
                None => line.inputs.push(word.into()),
            }
        }
        line
    }
}

/// A defect that an input shows: a panic of Rust's, in the words of std, libFuzzer and AddressSanitizer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defect {
    /// What the panic says.
    pub message: &'static str,
    /// Where, as `file:line:column`.
    pub place: &'static str,
    /// In which function.
    pub function: &'static str,
}

/// Plays a fuzzer whose bad inputs are those for which `defect_of` has an answer.
pub fn play(defect_of: impl Fn(&[u8]) -> Option<Defect>) -> ExitCode {
    let line = CommandLine::read();
    greet();
    if line.inputs.is_empty() { fuzz(&line, defect_of) } else { replay(&line, defect_of) }
}

/// What libFuzzer says first.
pub fn greet() {
    say(&format!("INFO: Running with entropic power schedule (0xFF, 100). {MARK} is ours."));
}

/// A line on standard error, where libFuzzer says everything.
pub fn say(line: &str) {
    // A harness that has left needs no words; the fake ends by its own time.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// A status line.
pub fn status(event: &str, n_executions: u64) {
    say(&format!("#{n_executions}\t{event} cov: 12 ft: 15 corp: 3/9b lim: 4 exec/s: 500 rss: 40Mb"));
}

fn fuzz(line: &CommandLine, defect_of: impl Fn(&[u8]) -> Option<Defect>) -> ExitCode {
    let started_at = Instant::now();
    let mut pulse_at = started_at;
    let mut n_executions = 2;
    status("INITED", n_executions);
    while line.time_max.is_none_or(|time_max| started_at.elapsed() < time_max) {
        let input = (line.seed + n_executions).to_le_bytes();
        n_executions += 1;
        if let Some(defect) = defect_of(&input) {
            crash(&defect, &input, &line.artifact_prefix);
            return ExitCode::from(CRASH_STATUS);
        }
        std::thread::sleep(EXECUTION_TIME);
        if pulse_at.elapsed() >= PULSE {
            pulse_at = Instant::now();
            status("pulse ", n_executions);
        }
    }
    status("DONE  ", n_executions);
    say(&format!("stat::number_of_executed_units: {n_executions}"));
    ExitCode::SUCCESS
}

fn replay(line: &CommandLine, defect_of: impl Fn(&[u8]) -> Option<Defect>) -> ExitCode {
    for path in &line.inputs {
        say(&format!("Running: {}", path.display()));
        let Ok(input) = std::fs::read(path) else { return ExitCode::from(1) };
        if let Some(defect) = defect_of(&input) {
            report(&defect);
            return ExitCode::from(CRASH_STATUS);
        }
        say(&format!("Executed {} in 0 ms", path.display()));
    }
    ExitCode::SUCCESS
}

fn crash(defect: &Defect, input: &[u8], artifact_prefix: &str) {
    report(defect);
    let path = format!("{artifact_prefix}crash-{}", &InputId::of(input).as_str()[..40]);
    let written = std::fs::write(&path, input);
    say(&format!("artifact_prefix='{artifact_prefix}'; Test unit written to {path} ({written:?})"));
}

fn report(defect: &Defect) {
    let pid = std::process::id();
    let Defect { message, place, function } = defect;
    say(&format!("\nthread '<unnamed>' ({pid}) panicked at {place}:\n{message}"));
    say("note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace");
    say(&format!("=={pid}== ERROR: libFuzzer: deadly signal"));
    let frames = [
        "__sanitizer_print_stack_trace /rustc/llvm/compiler-rt/lib/asan/asan_stack.cpp:87:3",
        "core::panicking::panic_fmt /rustc/59807616e/library/core/src/panicking.rs:75:14",
        &format!("fake::{function} /home/somebody/fake/{place}"),
        "rust_fuzzer_test_input /home/somebody/fake/fuzz_targets/fake.rs:5:1",
    ];
    for (index, frame) in frames.iter().enumerate() {
        say(&format!("    #{index} 0x55d0c0de{index:04} in {frame}"));
    }
    say("SUMMARY: libFuzzer: deadly signal");
}
