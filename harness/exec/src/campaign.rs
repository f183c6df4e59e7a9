//! A campaign: many targets, few cores, one budget.
//!
//! Each job takes a slice of time for a target from the [`schedule`], runs processes in it until it is used up (a crash
//! ends a process, never the slice), and comes back for the next. What is found goes to the [`Observer`] at once.

mod process;
mod schedule;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use shakedown_core::input::InputId;
use shakedown_core::target::TargetName;

use self::process::FuzzProcess;
use self::schedule::{Schedule, Slice};
use crate::corpus::Corpus;
use crate::driver::crash::{RawCrash, RawSite};
use crate::driver::notes;
use crate::engine::libfuzzer::{ArtifactKind, ExecutionLimits, Program};
use crate::process::Launcher;
use crate::replay::Death;

/// So many processes in a row that die at once with nothing new end a slice: the time serves another target.
const DUPLICATES_IN_A_ROW_MAX: u32 = 10;

/// So many processes in a row that die before they fuzz, without an input to blame, end a target.
const EARLY_DEATHS_MAX: u32 = 3;

/// A process that lived shorter than this fell into its hole at once.
const SHORT_LIFE: Duration = Duration::from_secs(2);

/// A target that is ready to be fuzzed.
#[derive(Debug, Clone)]
pub struct CampaignTarget {
    /// Its name.
    pub name: TargetName,
    /// What runs it.
    pub program: Program,
    /// The limits of one execution.
    pub limits: ExecutionLimits,
    /// Tokens of its input format.
    pub dictionary: Option<PathBuf>,
    /// Its inputs.
    pub corpus: Corpus,
}

/// How a campaign is run.
#[derive(Debug, Clone)]
pub struct CampaignSettings {
    /// How many processes fuzz at once.
    pub n_jobs: usize,
    /// When it ends.
    pub until: Instant,
    /// What all random numbers start from.
    pub seed: u32,
    /// A folder for files that live as long as a process.
    pub scratch: PathBuf,
}

/// Something bad happened while fuzzing.
#[derive(Debug, Clone)]
pub struct Sighting {
    /// The input that it happened on; `None` where it was lost.
    pub input: Option<Vec<u8>>,
    /// libFuzzer's word for what happened, where it left one.
    pub artifact: Option<ArtifactKind>,
    /// What is known of it.
    pub evidence: Evidence,
}

/// What is known of a sighting.
#[derive(Debug, Clone)]
pub enum Evidence {
    /// The process died.
    Death(Death),
    /// The driver caught a panic, and the process went on.
    Caught(RawCrash),
}

/// What a sighting turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sighted {
    /// Something not seen in this run before.
    New,
    /// Seen in this run before.
    Duplicate,
}

/// Where a target stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// Executions in all processes of this campaign.
    pub executions: u64,
    /// The most edges that one process covered.
    pub coverage: u64,
    /// The most features that one process covered.
    pub features: u64,
    /// Inputs in the corpus.
    pub corpus_inputs: u64,
    /// Time in which a process fuzzed this target, summed over jobs.
    pub time: Duration,
    /// How many processes were started.
    pub n_processes: u64,
    /// Executions that ended badly: processes that died, and panics that were caught.
    pub n_crashes: u64,
    /// Processes running now.
    pub n_running: usize,
    /// Whether the last slice ended early since nothing but known crashes came.
    pub is_blocked: bool,
    /// Why the target can't be fuzzed at all.
    pub broken: Option<String>,
}

impl Progress {
    /// Executions a second of fuzzing time.
    pub fn executions_per_second(&self) -> f64 {
        let seconds = self.time.as_secs_f64();
        if seconds > 0.0 { self.executions as f64 / seconds } else { 0.0 }
    }
}

/// Who hears of a campaign. Called from its jobs, several at once.
pub trait Observer: Sync {
    /// A target moved on (about once a second while it runs).
    fn progress(&self, target: &TargetName, progress: &Progress);
    /// Something bad happened. The job waits for the answer.
    fn sighting(&self, target: &CampaignTarget, sighting: Sighting) -> Sighted;
}

/// Fuzzes the targets until the time is up, somebody interrupts, or none is left that can be fuzzed. Returns where each
/// stands.
pub fn run(
    launcher: &Launcher,
    targets: &[CampaignTarget],
    settings: &CampaignSettings,
    observer: &dyn Observer,
) -> Vec<Progress> {
    let time = settings.until.saturating_duration_since(Instant::now());
    let campaign = Campaign {
        launcher,
        targets,
        settings,
        observer,
        started_at: Instant::now(),
        schedule: Mutex::new(Schedule::new(targets.len(), settings.n_jobs, time)),
        notes_taken: Mutex::new(vec![NotesTaken::default(); targets.len()]),
        progress: Mutex::new(vec![Progress::default(); targets.len()]),
    };
    // One thread a job; each starts its processes itself and waits for them.
    std::thread::scope(|scope| {
        for _ in 0..settings.n_jobs.max(1) {
            scope.spawn(|| campaign.work());
        }
    });
    campaign.progress.into_inner().unwrap_or_else(PoisonError::into_inner)
}

struct Campaign<'a> {
    launcher: &'a Launcher,
    targets: &'a [CampaignTarget],
    settings: &'a CampaignSettings,
    observer: &'a dyn Observer,
    started_at: Instant,
    schedule: Mutex<Schedule>,
    notes_taken: Mutex<Vec<NotesTaken>>,
    progress: Mutex<Vec<Progress>>,
}

/// Which notes of a target have been handed on. Notes are never replaced, and only ever become more.
#[derive(Debug, Clone, Default)]
struct NotesTaken {
    n_files: usize,
    notes: HashSet<(RawSite, InputId)>,
}

/// What became of one process, for the slice that it ran in.
enum Step {
    /// It fuzzed until it was told to end.
    Finished,
    /// It died: go on with the next process.
    Died { was_new: bool, lived: Duration },
    /// It died before it fuzzed, and left no input.
    DiedEarly { log: String },
    /// It could not be run.
    Broken { why: String },
}

impl Campaign<'_> {
    fn work(&self) {
        while !self.launcher.interrupt().is_raised() {
            let now = self.started_at.elapsed();
            let Some(slice) = lock(&self.schedule).next(now) else { return };
            self.update(slice.target, |progress| {
                progress.n_running += 1;
                progress.is_blocked = false;
            });
            self.run_slice(&slice);
            self.update(slice.target, |progress| progress.n_running -= 1);
            let used = self.started_at.elapsed().saturating_sub(now);
            lock(&self.schedule).give_back(&slice, used);
        }
    }

    fn run_slice(&self, slice: &Slice) {
        let end = (Instant::now() + slice.time).min(self.settings.until);
        let (mut n_duplicates, mut n_early_deaths) = (0, 0);
        while Instant::now() < end && !self.launcher.interrupt().is_raised() {
            match self.fuzz_once(slice, end) {
                Step::Finished => return,
                Step::Died { was_new, lived } => {
                    n_duplicates = if was_new || lived >= SHORT_LIFE { 0 } else { n_duplicates + 1 };
                    n_early_deaths = 0;
                    if n_duplicates >= DUPLICATES_IN_A_ROW_MAX {
                        self.update(slice.target, |progress| progress.is_blocked = true);
                        return;
                    }
                }
                Step::DiedEarly { log } => {
                    n_early_deaths += 1;
                    if n_early_deaths >= EARLY_DEATHS_MAX {
                        return self.give_up(slice.target, format!("it dies before it fuzzes:\n{log}"));
                    }
                }
                Step::Broken { why } => return self.give_up(slice.target, why),
            }
        }
    }

    fn give_up(&self, target: usize, why: String) {
        lock(&self.schedule).close(target);
        self.update(target, |progress| progress.broken = Some(why));
    }

    /// Runs one process of the slice's target, to the end of the slice or its own.
    fn fuzz_once(&self, slice: &Slice, end: Instant) -> Step {
        let target = &self.targets[slice.target];
        let before = lock(&self.progress)[slice.target].clone();
        // Different processes must not repeat each other's random choices; the same campaign must repeat its own.
        let seed = schedule::process_seed(self.settings.seed, slice.target, before.n_processes);
        let notes = self.settings.scratch.join(format!("notes-{}", target.name.as_path_component()));
        let prepared = std::fs::create_dir_all(&notes)
            .and_then(|()| FuzzProcess::prepare(target, &self.settings.scratch, &notes, end, seed));
        let process = match prepared {
            Ok(process) => process,
            Err(error) => return Step::Broken { why: error.to_string() },
        };
        let started_at = Instant::now();
        self.update(slice.target, |progress| progress.n_processes += 1);
        let run = process.run(self.launcher, |status, advance| {
            self.take_notes(slice.target, &notes);
            self.update(slice.target, |progress| {
                progress.executions += advance.n_executions;
                progress.n_crashes += advance.n_panics;
                progress.time += advance.time;
                progress.coverage = progress.coverage.max(status.coverage);
                progress.features = progress.features.max(status.features);
                if status.is_past_loading {
                    progress.corpus_inputs = status.corpus_inputs;
                }
            });
        });
        let ended = match run {
            Ok(ended) => ended,
            Err(error) => return Step::Broken { why: crate::chain(&error) },
        };
        let Some(sighting) = ended.sighting else { return Step::Finished };
        if let (Evidence::Death(death), None, false) = (&sighting.evidence, &sighting.input, ended.has_fuzzed)
        {
            return Step::DiedEarly { log: tail_of(death) };
        }
        self.update(slice.target, |progress| progress.n_crashes += 1);
        if let Some(input) = &sighting.input
            && let Err(error) = target.corpus.quarantine(input)
        {
            return Step::Broken {
                why: format!("failed to move a crashing input out of the corpus: {error}"),
            };
        }
        let was_new = self.observer.sighting(target, sighting) == Sighted::New;
        Step::Died { was_new, lived: started_at.elapsed() }
    }

    /// Hands on the panics that processes of a target have noted since the last look.
    fn take_notes(&self, target: usize, folder: &Path) {
        let n_there = std::fs::read_dir(folder).map_or(0, Iterator::count);
        if n_there <= lock(&self.notes_taken)[target].n_files {
            return;
        }
        // A folder that cannot be read now can be read at the next look.
        let Ok(mut notes) = notes::read(folder) else { return };
        {
            let taken = &mut lock(&self.notes_taken)[target];
            taken.n_files = n_there;
            notes.retain(|note| taken.notes.insert((note.crash.site, InputId::of(&note.input))));
        }
        for note in notes {
            let sighting =
                Sighting { input: Some(note.input), artifact: None, evidence: Evidence::Caught(note.crash) };
            self.observer.sighting(&self.targets[target], sighting);
        }
    }

    fn update(&self, target: usize, change: impl FnOnce(&mut Progress)) {
        let progress = {
            let mut all = lock(&self.progress);
            change(&mut all[target]);
            all[target].clone()
        };
        self.observer.progress(&self.targets[target].name, &progress);
    }
}

fn tail_of(death: &Death) -> String {
    let text = String::from_utf8_lossy(&death.log);
    let lines: Vec<&str> = text.lines().collect();
    format!("{}\n{}", lines[lines.len().saturating_sub(8)..].join("\n"), death.exit)
}

/// A panic of one job must not hide what the others found.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
