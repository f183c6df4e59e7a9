//! The smallest input with the same fault site: delta debugging in the target's own process, or in forks of it.
//!
//! The raw site is enforced at every step and the result is run once more in a fork, so that what comes out fails where
//! the input failed. Raw sites are stricter than signatures: a smaller input of the same defect can be missed.

use std::time::{Duration, Instant};

use super::crash::{RawCrash, RawSite};
use super::fork_server::{ANSWER_TIME, ForkServer, request_limits};
use super::session::{Over, Session};
use super::wire::{Answer, Place, Request};
use super::{DriverError, Limits};

pub use super::wire::MinimiseEnd;

/// How long minimising may take.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// The most executions.
    pub n_executions_max: u32,
    /// The most time.
    pub time: Duration,
}

impl Default for Effort {
    fn default() -> Self {
        Self { n_executions_max: 100_000, time: Duration::from_secs(30) }
    }
}

/// A smaller input, as it fails.
#[derive(Debug, Clone)]
pub struct Minimised {
    /// The input.
    pub input: Vec<u8>,
    /// How it ends, in a fork.
    pub crash: RawCrash,
    /// Whether it is the smallest.
    pub end: MinimiseEnd,
    /// How many inputs were tried.
    pub n_executions: u32,
    /// How long the target was busy with it.
    pub time: Duration,
}

/// Makes `input` smaller. `None` if it doesn't end badly.
pub fn minimise(
    server: &mut ForkServer<'_>,
    input: &[u8],
    effort: Effort,
) -> Result<Option<Minimised>, DriverError> {
    let started_at = Instant::now();
    let Some(crash) = server.run(input)?.crash else { return Ok(None) };
    let mut best =
        Best { input: input.to_vec(), end: MinimiseEnd::OutOfLimit, n_executions: 0, time: Duration::ZERO };
    let is_caught = crash.kind.is_catchable() && crash.signal.is_none() && server.catches_panics();
    let places: &[Place] = if is_caught { &[Place::Here, Place::Fork] } else { &[Place::Fork] };
    for place in places {
        let left = effort.time.saturating_sub(started_at.elapsed());
        let limits = *server.limits();
        match attempt(server.session()?, *place, &limits, &mut best, effort, left, crash.site) {
            Ok(()) => break,
            // A candidate took the process along; forks go on from the smallest so far.
            Err(_) => server.forget(),
        }
    }
    // The last word has a fresh copy: a process that caught thousands of panics may be wrong about one.
    let confirmed = server.run(&best.input)?.crash.filter(|confirmed| confirmed.site == crash.site);
    let (input, crash) = match confirmed {
        Some(confirmed) => (best.input, confirmed),
        None => (input.to_vec(), crash),
    };
    Ok(Some(Minimised { input, crash, end: best.end, n_executions: best.n_executions, time: best.time }))
}

struct Best {
    input: Vec<u8>,
    end: MinimiseEnd,
    n_executions: u32,
    time: Duration,
}

fn attempt(
    session: &mut Session,
    place: Place,
    limits: &Limits,
    best: &mut Best,
    effort: Effort,
    time: Duration,
    wanted: RawSite,
) -> Result<(), Over> {
    let n_executions_max = effort.n_executions_max.saturating_sub(best.n_executions);
    let limits = request_limits(limits);
    let given = best.input.clone();
    let request = Request::Minimise { place, limits, n_executions_max, time, input: &given };
    let asked = session.send(&request)?;
    let deadline = Instant::now() + time + limits.time + ANSWER_TIME;
    loop {
        match session.receive(deadline.saturating_duration_since(Instant::now()))? {
            // Only smaller inputs are progress: whatever else is claimed, the end is near.
            Answer::Progress { id, smallest } if id == asked && smallest.len() < best.input.len() => {
                best.input = smallest;
            }
            Answer::Minimised { id, end, n_executions, time, site, smallest }
                if id == asked && smallest.len() <= given.len() =>
            {
                best.n_executions = best.n_executions.saturating_add(n_executions);
                best.time += time;
                // The process has a fault of its own, or another one here than in a fork: forks decide.
                if end == MinimiseEnd::NoCrash || site != wanted {
                    best.input = given;
                    return Err(Over::Gone);
                }
                best.end = end;
                best.input = smallest;
                return Ok(());
            }
            Answer::Progress { .. } => {}
            Answer::Hello { .. } | Answer::Result { .. } | Answer::Minimised { .. } => {
                return Err(Over::Gone);
            }
        }
    }
}
