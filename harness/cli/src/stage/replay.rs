//! Replay: what crashed once is run again before anything is fuzzed: reviewed regressions, committed artifacts, the inputs
//! of known findings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use shakedown_core::event::{Event, Listener};
use shakedown_core::finding::FindingState;
use shakedown_core::signature::Signature;
use shakedown_core::target::TargetName;
use shakedown_exec::campaign::{CampaignTarget, Evidence, Sighting};
use shakedown_exec::chain;
use shakedown_exec::corpus::files_below;
use shakedown_exec::driver;
use shakedown_exec::driver::replay::Listing;
use shakedown_exec::process::{Launcher, ProcessError};
use shakedown_exec::replay;
use shakedown_report::view::short_id;
use shakedown_store::{Store, StoreError};

use crate::stage::collect::Collector;
use crate::stage::prepare::Prepared;

/// Runs inputs again and hands what crashes to the collector.
pub(crate) struct Replayer<'a> {
    pub(crate) launcher: &'a Launcher,
    pub(crate) listener: &'a dyn Listener,
    pub(crate) collector: &'a Collector<'a>,
    pub(crate) scratch: &'a Path,
    pub(crate) until: Instant,
    pub(crate) n_jobs: usize,
}

/// An input that crashed once.
pub(crate) struct OldInput {
    path: PathBuf,
    /// The finding that it should show, where that is open: if it does not, that is worth saying.
    open_finding: Option<Signature>,
}

/// What replaying brought.
#[derive(Default)]
pub(crate) struct Replays {
    /// How many inputs of each target were run, and how many of them crashed.
    pub(crate) counts: BTreeMap<TargetName, (u64, u64)>,
    pub(crate) notices: Vec<String>,
}

enum Replayed {
    Passed,
    Bad(Evidence),
    NotRun,
}

/// Everything of each target that crashed once.
pub(crate) fn old_inputs(
    store: &Store,
    ready: &[Prepared],
) -> Result<BTreeMap<TargetName, Vec<OldInput>>, StoreError> {
    let mut old = BTreeMap::new();
    for prepared in ready {
        let name = &prepared.target.name;
        let folders = &prepared.assets.regression_folders;
        let mut inputs: Vec<OldInput> = folders
            .iter()
            .flat_map(|folder| files_below(folder))
            .map(|path| OldInput { path, open_finding: None })
            .collect();
        for known in store.reproducers(name)? {
            let is_open = match known.state {
                FindingState::New | FindingState::Known | FindingState::Reopened => true,
                FindingState::Fixed | FindingState::Ignored => false,
            };
            let path = store.objects().path(&known.input);
            inputs.push(OldInput { path, open_finding: is_open.then_some(known.finding) });
        }
        old.insert(name.clone(), inputs);
    }
    Ok(old)
}

impl Replayer<'_> {
    /// Replays all targets, several at once.
    pub(crate) fn run(&self, ready: &[Prepared], old: &BTreeMap<TargetName, Vec<OldInput>>) -> Replays {
        let next = AtomicUsize::new(0);
        let replays = Mutex::new(Replays::default());
        std::thread::scope(|scope| {
            for _ in 0..self.n_jobs {
                scope.spawn(|| {
                    while let Some(prepared) = ready.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let target = &prepared.target;
                        if let Some(inputs) = old.get(&target.name).filter(|inputs| !inputs.is_empty()) {
                            self.replay(target, inputs, &replays);
                        }
                    }
                });
            }
        });
        replays.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn replay(&self, target: &CampaignTarget, inputs: &[OldInput], replays: &Mutex<Replays>) {
        let name = &target.name;
        let paths: Vec<PathBuf> = inputs.iter().map(|input| input.path.clone()).collect();
        let (replayed, mut notices) = match self.run_all(target, &paths) {
            Ok(replayed) => (replayed, Vec::new()),
            Err(error) => (Vec::new(), vec![format!("failed to replay inputs of {name}: {}", chain(&error))]),
        };
        let (mut n_run, mut n_crashed) = (0, 0);
        for (input, replayed) in inputs.iter().zip(replayed) {
            match replayed {
                Replayed::NotRun => {}
                Replayed::Passed => {
                    n_run += 1;
                    notices.extend(input.open_finding.as_ref().map(|finding| is_gone(finding, name)));
                }
                Replayed::Bad(evidence) => {
                    n_run += 1;
                    n_crashed += 1;
                    let input = std::fs::read(&input.path).ok();
                    self.collector.take(target, &Sighting { input, artifact: None, evidence });
                }
            }
        }
        let mut replays = replays.lock().unwrap_or_else(PoisonError::into_inner);
        replays.notices.append(&mut notices);
        replays.counts.insert(name.clone(), (n_run, n_crashed));
        drop(replays);
        let n_crashed = usize::try_from(n_crashed).unwrap_or(usize::MAX);
        self.listener.hear(Event::Replayed { target: name.clone(), n_inputs: inputs.len(), n_crashed });
    }

    /// Thousands a second where our driver is in the target, else in plain processes.
    fn run_all(&self, target: &CampaignTarget, inputs: &[PathBuf]) -> Result<Vec<Replayed>, ProcessError> {
        let (program, until) = (&target.program, Some(self.until));
        if program.has_driver {
            let limits = target.limits.for_driver();
            // Without an answer from the driver the plain way says more about the reason.
            if let Ok(replayed) =
                driver::replay::replay(self.launcher, program, limits, inputs, Listing::None, until)
            {
                return Ok(replayed.into_iter().map(Replayed::from).collect());
            }
        }
        let replayed = replay::replay(self.launcher, program, &target.limits, inputs, self.scratch, until)?;
        Ok(replayed.into_iter().map(Replayed::from).collect())
    }
}

fn is_gone(finding: &Signature, target: &TargetName) -> String {
    let id = short_id(finding.as_str());
    format!("{id} does not show in {target} any more; if it is fixed: `shakedown findings close {id}`")
}

impl From<driver::replay::Replayed> for Replayed {
    fn from(replayed: driver::replay::Replayed) -> Self {
        match replayed {
            driver::replay::Replayed::Executed(executed) => {
                executed.crash.map_or(Self::Passed, |raw| Self::Bad(Evidence::Caught(raw)))
            }
            driver::replay::Replayed::Unreadable | driver::replay::Replayed::NotRun => Self::NotRun,
        }
    }
}

impl From<replay::Replayed> for Replayed {
    fn from(replayed: replay::Replayed) -> Self {
        match replayed {
            replay::Replayed::Passed => Self::Passed,
            replay::Replayed::Died(death) => Self::Bad(Evidence::Death(death)),
            replay::Replayed::NotRun => Self::NotRun,
        }
    }
}
