//! One fuzzing process: started, watched, and its remains collected.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use shakedown_core::progress::{Status, parse_final_executions, parse_status};

use super::{CampaignTarget, Evidence, Sighting};
use crate::command::CommandSpec;
use crate::corpus::read_bounded;
use crate::driver::{self, notes};
use crate::engine::libfuzzer::{ArtifactKind, Fuzzing};
use crate::process::{Exit, Launcher, Limits, ProcessError, Stream, Wish};
use crate::replay::Death;

/// libFuzzer checks its own time limit between executions; a process that misses it by this much is stopped.
const OVERTIME: Duration = Duration::from_secs(1);

/// A larger input cannot have come from libFuzzer (`-max_len` defaults to 1 MiB at the most).
const ARTIFACT_BYTES_MAX: u64 = 64 << 20;

/// Where a process writes the inputs that it dies on, and where its driver shows its state.
const ARTIFACTS: &str = "artifacts";
const STATE: &str = "state";

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// A process that is ready to start.
pub(super) struct FuzzProcess {
    spec: CommandSpec,
    limits: Limits,
    /// A folder of its own, since its words are not trusted.
    folder: tempfile::TempDir,
}

/// How a process ended.
pub(super) struct Ended {
    /// Whether it got as far as fuzzing.
    pub(super) has_fuzzed: bool,
    /// What there is to triage, if it died.
    pub(super) sighting: Option<Sighting>,
}

/// What happened in a process since it was last told.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Advance {
    pub(super) n_executions: u64,
    pub(super) n_panics: u64,
    pub(super) time: Duration,
}

impl FuzzProcess {
    /// A process of `target` that ends at `end`. Panics that it goes on after are noted in the folder `notes`.
    pub(super) fn prepare(
        target: &CampaignTarget,
        scratch: &Path,
        notes: &Path,
        end: Instant,
        seed: u32,
    ) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("process-").tempdir_in(scratch)?;
        let artifacts = folder.path().join(ARTIFACTS);
        std::fs::create_dir(&artifacts)?;
        let fuzzing = Fuzzing {
            corpus: &target.corpus.inputs,
            artifacts: &artifacts,
            time: end.saturating_duration_since(Instant::now()),
            dictionary: target.dictionary.as_deref(),
            seed,
        };
        let spec = target.program.fuzz(&fuzzing, &target.limits);
        let spec = if target.program.has_driver {
            driver::fuzzing_on(spec, notes, &folder.path().join(STATE), &target.limits.for_driver())
        } else {
            spec
        };
        Ok(Self { spec, limits: Limits::until(end + OVERTIME), folder })
    }

    /// Runs it to its end. `tell` hears about once a second how it advances.
    pub(super) fn run(
        self,
        launcher: &Launcher,
        mut tell: impl FnMut(&Status, Advance),
    ) -> Result<Ended, ProcessError> {
        let mut status = Status::default();
        let mut told = Advance::default();
        let mut tell_all = |status: &Status, elapsed: Duration| {
            let now = self.advanced_to(status, elapsed);
            let since = Advance {
                n_executions: now.n_executions.saturating_sub(told.n_executions),
                n_panics: now.n_panics.saturating_sub(told.n_panics),
                time: now.time.saturating_sub(told.time),
            };
            told = now;
            tell(status, since);
        };
        let mut next_at = TELL_EVERY;
        let outcome = launcher.run_watched(&self.spec, &self.limits, |line, elapsed| {
            if let Some((Stream::Stderr, line)) = line {
                take(&mut status, line);
            }
            if elapsed >= next_at {
                tell_all(&status, elapsed);
                next_at = elapsed + TELL_EVERY;
            }
            Wish::Continue
        })?;
        tell_all(&status, outcome.wall);
        let artifact = self.artifact();
        // The input that was running when the process was gone: what it died on, even where it left no artifact.
        let running = self.state().and_then(|state| state.current);
        let has_died = match outcome.exit {
            Exit::Stopped | Exit::Timeout => artifact.is_some(),
            Exit::Success => artifact.is_some() || running.is_some(),
            Exit::Failure(_) | Exit::Signal(_) | Exit::OutOfMemory => true,
        };
        let sighting = has_died.then(|| {
            let evidence = Evidence::Death(Death::of(&outcome));
            match artifact {
                Some((kind, input)) => Sighting { input: Some(input), artifact: Some(kind), evidence },
                None => Sighting { input: running, artifact: None, evidence },
            }
        });
        Ok(Ended { has_fuzzed: status.is_past_loading, sighting })
    }

    /// Counted by the driver where there is one: libFuzzer begins anew when a process restarts itself.
    fn advanced_to(&self, status: &Status, time: Duration) -> Advance {
        let state = self.state().unwrap_or_default();
        let n_executions = state.n_executions.max(status.executions);
        Advance { n_executions, n_panics: state.n_panics, time }
    }

    fn state(&self) -> Option<notes::State> {
        notes::state(&self.folder.path().join(STATE)).ok().flatten()
    }

    /// The input that the process died on.
    fn artifact(&self) -> Option<(ArtifactKind, Vec<u8>)> {
        let entries = std::fs::read_dir(self.folder.path().join(ARTIFACTS)).ok()?;
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
