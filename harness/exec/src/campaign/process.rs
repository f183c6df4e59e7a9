//! One fuzzing process: started, watched, and its remains collected.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use shakedown_core::progress::{Status, parse_final_executions, parse_status};

use super::{CampaignTarget, Sighting};
use crate::command::CommandSpec;
use crate::corpus::read_bounded;
use crate::engine::libfuzzer::{ArtifactKind, Fuzzing};
use crate::process::{Exit, Launcher, Limits, ProcessError, Stream, Wish};
use crate::replay::Death;

/// libFuzzer checks its own time limit between executions; a process that misses it by this much is stopped.
const OVERTIME: Duration = Duration::from_secs(1);

/// A larger input cannot have come from libFuzzer (`-max_len` defaults to 1 MiB at the most).
const ARTIFACT_BYTES_MAX: u64 = 64 << 20;

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// A process that is ready to start.
pub(super) struct FuzzProcess {
    spec: CommandSpec,
    limits: Limits,
    /// Where it writes the inputs that it dies on: a folder of its own, since its words are not trusted.
    artifacts: tempfile::TempDir,
}

/// How a process ended.
pub(super) struct Ended {
    /// Whether it got as far as fuzzing.
    pub(super) has_fuzzed: bool,
    /// What there is to triage, if it died.
    pub(super) sighting: Option<Sighting>,
}

impl FuzzProcess {
    pub(super) fn prepare(
        target: &CampaignTarget,
        scratch: &Path,
        end: Instant,
        seed: u32,
    ) -> io::Result<Self> {
        let artifacts = tempfile::Builder::new().prefix("artifacts-").tempdir_in(scratch)?;
        let fuzzing = Fuzzing {
            corpus: &target.corpus.inputs,
            artifacts: artifacts.path(),
            time: end.saturating_duration_since(Instant::now()),
            dictionary: target.dictionary.as_deref(),
            seed,
        };
        let spec = target.program.fuzz(&fuzzing, &target.limits);
        Ok(Self { spec, limits: Limits::until(end + OVERTIME), artifacts })
    }

    /// Runs it to its end. `tell` gets the latest status, and the executions and time since it was last told.
    pub(super) fn run(
        self,
        launcher: &Launcher,
        mut tell: impl FnMut(&Status, u64, Duration),
    ) -> Result<Ended, ProcessError> {
        let mut status = Status::default();
        let (mut told_executions, mut told_at) = (0, Duration::ZERO);
        let outcome = launcher.run_watched(&self.spec, &self.limits, |line, elapsed| {
            if let Some((Stream::Stderr, line)) = line {
                take(&mut status, line);
            }
            if elapsed >= told_at + TELL_EVERY {
                let since = elapsed.saturating_sub(told_at);
                tell(&status, status.executions.saturating_sub(told_executions), since);
                (told_executions, told_at) = (status.executions, elapsed);
            }
            Wish::Continue
        })?;
        let n_last = status.executions.saturating_sub(told_executions);
        tell(&status, n_last, outcome.wall.saturating_sub(told_at));
        let artifact = self.artifact();
        let has_died = match outcome.exit {
            Exit::Success | Exit::Stopped | Exit::Timeout => artifact.is_some(),
            Exit::Failure(_) | Exit::Signal(_) | Exit::OutOfMemory => true,
        };
        let sighting = has_died.then(|| Sighting { artifact, death: Death::of(&outcome) });
        Ok(Ended { has_fuzzed: status.is_past_loading, sighting })
    }

    /// The input that the process died on.
    fn artifact(&self) -> Option<(ArtifactKind, Vec<u8>)> {
        let entries = std::fs::read_dir(self.artifacts.path()).ok()?;
        let mut found: Vec<(PathBuf, ArtifactKind)> = entries
            .flatten()
            .filter_map(|entry| Some((entry.path(), ArtifactKind::of(&entry.file_name().to_string_lossy())?)))
            // A slow input is no crash: the process went on after it.
            .filter(|(_, kind)| *kind != ArtifactKind::SlowUnit)
            .collect();
        found.sort();
        found
            .into_iter()
            .find_map(|(path, kind)| Some((kind, read_bounded(&path, ARTIFACT_BYTES_MAX).ok()??)))
    }
}

fn take(status: &mut Status, line: &[u8]) {
    if let Some(new) = parse_status(line) {
        // Counters only grow; a target that prints status lines of its own can at most hide some progress.
        *status = Status { executions: new.executions.max(status.executions), ..new };
    } else if let Some(executions) = parse_final_executions(line) {
        status.executions = executions.max(status.executions);
    }
}
