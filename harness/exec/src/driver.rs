//! Speaks with the driver inside a fuzz target (`docs/driver.md`): thousands of inputs in one process, each in a fresh
//! fork of one, merged or minimised there, instead of one process start each.
//!
//! Reading order: [`crash`] (what an execution ended as), [`wire`] (bytes, bounded), [`session`] (one process and its
//! socket), then what is done with it: [`fork_server`], [`replay`], [`merge`], [`minimise`]; [`notes`] (what a fuzzing
//! process leaves in files); [`translate`] (what the rest of the project makes of it); [`runtime`] and [`wrapper`] (how the runtime that catches panics gets into the build).
//!
//! Nothing that comes out of a target is believed: sizes are bounded, every wait has a deadline, and a process that
//! talks nonsense is killed, which is then what is known of the input. No name is looked up here; stacks stay raw.

pub mod crash;
mod wire;

pub mod session;

pub mod fork_server;
pub mod merge;
pub mod minimise;
pub mod replay;

pub mod notes;
pub mod runtime;
pub mod translate;
pub mod wrapper;

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use crate::command::CommandSpec;
use crate::engine::libfuzzer::Program;

/// The socket on which a harness waits: the target serves inputs instead of fuzzing.
pub const SOCKET_VARIABLE: &str = "SHAKEDOWN_SOCKET";
/// The folder for notes of panics: the target fuzzes on after each.
pub const NOTES_VARIABLE: &str = "SHAKEDOWN_NOTES";
/// The file in which a fuzzing process shows its counters and its current input.
pub const STATE_VARIABLE: &str = "SHAKEDOWN_PROCESS_STATE";
/// `finding` makes a panic that the code under test catches itself a bad end.
pub const CAUGHT_VARIABLE: &str = "SHAKEDOWN_CAUGHT";
/// `reject` keeps inputs that panic out of libFuzzer's corpus, where they otherwise lead deeper.
pub const PANICKING_VARIABLE: &str = "SHAKEDOWN_PANICKING";

/// What the target may use, and what counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest time of one execution.
    pub time: Duration,
    /// The most memory of the process, and the largest allocation, in megabytes; 0 for no limit.
    pub memory_mb: u32,
    /// Whether a panic that the code under test catches itself is a bad end.
    pub caught_panics: CaughtPanics,
}

/// What a panic means that never reaches the target's boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaughtPanics {
    /// Nothing.
    Ignored,
    /// A bad end.
    Findings,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(25), memory_mb: 2560, caught_panics: CaughtPanics::Ignored }
    }
}

/// Why the driver could not be used. What the *target* does is never one of these.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The socket could not be made.
    #[error("failed to open a socket for `{program}`")]
    Socket {
        /// The command line.
        program: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The program could not be started.
    #[error("failed to start `{program}`")]
    Start {
        /// The command line.
        program: String,
        /// What went wrong.
        source: crate::process::ProcessError,
    },
    /// The program doesn't answer on the socket: our driver is not in it, or its initialisation fails.
    #[error("`{program}` doesn't speak with us: {why}")]
    NoDriver {
        /// The command line.
        program: String,
        /// How it ended, or that it did not.
        why: String,
    },
    /// The driver in the program is of another version of this tool.
    #[error("`{program}` was built for version {theirs} of the driver's protocol, this is {ours}: build it again", ours = shakedown_driver::PROTOCOL_VERSION)]
    Version {
        /// The command line.
        program: String,
        /// What it speaks.
        theirs: u32,
    },
}

/// What makes a process of `program` fuzz on after panics: set on its fuzzing command line. `notes` must exist;
/// each process needs a `state` of its own.
#[must_use]
pub fn fuzzing_on(spec: CommandSpec, notes: &Path, state: &Path, limits: &Limits) -> CommandSpec {
    let said = spec.environment().get("ASAN_OPTIONS").cloned().flatten();
    caught(spec, limits)
        .env(NOTES_VARIABLE, notes)
        .env(STATE_VARIABLE, state)
        .env("ASAN_OPTIONS", asan_options(said, limits))
        .env("RUST_BACKTRACE", "0")
}

/// The command that serves inputs on `socket`.
fn serving(program: &Program, socket: &Path, limits: &Limits) -> CommandSpec {
    let said = program.inherited_asan_options.clone().map(OsString::from);
    caught(program.command.clone(), limits)
        .env(SOCKET_VARIABLE, socket)
        .env_remove(NOTES_VARIABLE)
        .env("ASAN_OPTIONS", asan_options(said, limits))
        .env("RUST_BACKTRACE", "0")
        .env_remove("RUST_LIB_BACKTRACE")
}

fn caught(spec: CommandSpec, limits: &Limits) -> CommandSpec {
    match limits.caught_panics {
        CaughtPanics::Findings => spec.env(CAUGHT_VARIABLE, "finding"),
        CaughtPanics::Ignored => spec.env_remove(CAUGHT_VARIABLE),
    }
}

/// An allocation beyond the limit returns null, which the runtime turns into a panic, instead of ending the process.
fn asan_options(said: Option<OsString>, limits: &Limits) -> OsString {
    let mut options = said.filter(|said| !said.is_empty()).unwrap_or_default();
    if !options.is_empty() {
        options.push(":");
    }
    options.push("symbolize=0:detect_odr_violation=0:allocator_may_return_null=1");
    if limits.memory_mb > 0 {
        options.push(format!(":max_allocation_size_mb={}", limits.memory_mb));
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_sanitizer_options_stay_and_ours_come_after() {
        let limits = Limits { memory_mb: 100, ..Limits::default() };
        let spec = CommandSpec::new("/b/x").env("ASAN_OPTIONS", "detect_leaks=0");
        let line = fuzzing_on(spec, Path::new("/n"), Path::new("/s"), &limits).to_string();
        assert!(line.contains("ASAN_OPTIONS=detect_leaks=0:symbolize=0"), "{line}");
        assert!(line.contains("max_allocation_size_mb=100"), "{line}");
        assert!(line.contains("SHAKEDOWN_NOTES=/n") && line.contains("SHAKEDOWN_PROCESS_STATE=/s"), "{line}");
    }
}
