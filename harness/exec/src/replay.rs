//! Runs a target on given inputs in plain processes: what crashed once is run again before anything is fuzzed, and every
//! crash is confirmed alone.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::engine::libfuzzer::{ExecutionLimits, Program};
use crate::process::{Exit, Launcher, Limits, Outcome, ProcessError, Stream, Wish};

/// How many inputs one process gets: the command line stays short.
const BATCH_INPUTS_MAX: usize = 200;

/// What a process may take beyond its inputs: starting, and a sanitizer's report.
const START_TIME_MAX: Duration = Duration::from_secs(30);

/// What became of one input.
#[derive(Debug, Clone)]
pub enum Replayed {
    /// The target ran on it and came back.
    Passed,
    /// The process died on it. What it said is the evidence.
    Died(Death),
    /// It was not run: the time ran out, or somebody asked to stop.
    NotRun,
}

/// How a process died on an input.
#[derive(Debug, Clone)]
pub struct Death {
    /// How the process ended.
    pub exit: Exit,
    /// What it printed, standard error last.
    pub log: Vec<u8>,
}

impl Death {
    /// The evidence in an outcome.
    pub fn of(outcome: &Outcome) -> Self {
        let mut log = outcome.stdout.to_bytes();
        log.extend(outcome.stderr.to_bytes());
        Self { exit: outcome.exit, log }
    }
}

/// Runs `program` on each input, many in one process, going on after each death. Returns what became of each.
pub fn replay(
    launcher: &Launcher,
    program: &Program,
    limits: &ExecutionLimits,
    inputs: &[PathBuf],
    scratch: &Path,
    deadline: Option<Instant>,
) -> Result<Vec<Replayed>, ProcessError> {
    let mut replayed = vec![Replayed::NotRun; inputs.len()];
    let mut next = 0;
    while next < inputs.len() && !is_over(deadline) && !launcher.interrupt().is_raised() {
        let batch = &inputs[next..inputs.len().min(next + BATCH_INPUTS_MAX)];
        let (n_begun, outcome) = run_batch(launcher, program, limits, batch, scratch, deadline)?;
        let (n_passed, death) = match outcome.exit {
            Exit::Success => (batch.len(), None),
            Exit::Stopped => (n_begun.saturating_sub(1), None),
            Exit::Timeout if is_over(deadline) => (n_begun.saturating_sub(1), None),
            Exit::Failure(_) | Exit::Signal(_) | Exit::Timeout | Exit::OutOfMemory => {
                (n_begun.saturating_sub(1), Some(Death::of(&outcome)))
            }
        };
        replayed[next..next + n_passed].fill(Replayed::Passed);
        next += n_passed;
        match death {
            Some(death) => {
                replayed[next] = Replayed::Died(death);
                next += 1;
            }
            None if outcome.exit.is_success() => {}
            None => break,
        }
    }
    Ok(replayed)
}

/// Runs one process. Returns how many inputs it began, as it says itself, and how it ended. The count is a hint: it is
/// held within the batch, and whatever is made of it is confirmed alone.
fn run_batch(
    launcher: &Launcher,
    program: &Program,
    limits: &ExecutionLimits,
    batch: &[PathBuf],
    scratch: &Path,
    deadline: Option<Instant>,
) -> Result<(usize, Outcome), ProcessError> {
    let spec = program.replay(batch, scratch, limits);
    let batch_size = u32::try_from(batch.len()).unwrap_or(u32::MAX);
    let own_deadline = Instant::now() + START_TIME_MAX + limits.timeout.saturating_mul(batch_size);
    let process_limits = Limits::until(deadline.map_or(own_deadline, |deadline| deadline.min(own_deadline)));
    let mut n_begun = 0;
    let outcome = launcher.run_watched(&spec, &process_limits, |line, _| {
        let begins_next = |line: &[u8]| {
            let next = batch.get(n_begun).map(|path| path.as_os_str().as_encoded_bytes());
            line.strip_prefix(b"Running: ").is_some_and(|path| Some(path) == next)
        };
        if let Some((Stream::Stderr, line)) = line
            && begins_next(line)
        {
            n_begun += 1;
        }
        Wish::Continue
    })?;
    // A process that died before its first input died of itself; the first input stands for that.
    Ok((n_begun.clamp(1, batch.len()), outcome))
}

/// Runs one input alone in a fresh process, until `deadline` at the latest.
pub fn confirm(
    launcher: &Launcher,
    program: &Program,
    limits: &ExecutionLimits,
    input: &Path,
    scratch: &Path,
    deadline: Option<Instant>,
) -> Result<Replayed, ProcessError> {
    let replayed = replay(launcher, program, limits, &[input.to_path_buf()], scratch, deadline)?;
    Ok(replayed.into_iter().next().unwrap_or(Replayed::NotRun))
}

fn is_over(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| Instant::now() >= deadline)
}
