//! Collect and triage: everything bad that happens becomes a signed crash in the store, within seconds.
//!
//! A sighting is first compared with those of this run ([`Recognised`]): most are repetitions and are only counted. What
//! is not recognised is run again alone, in fresh copies of the target, symbolised, signed and recorded before anything
//! else happens.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use shakedown_core::crash::{Crash, CrashKind};
use shakedown_core::event::{Event, Listener};
use shakedown_core::finding::{self, Reproducibility, Sighted as FindingSighted, SignedCrash};
use shakedown_core::formats::parse_log;
use shakedown_core::input::InputId;
use shakedown_core::run::{FindingInRun, RunId};
use shakedown_core::signature::{Keys, Signature};
use shakedown_core::target::TargetName;
use shakedown_core::time::Timestamp;
use shakedown_exec::campaign::{CampaignTarget, Evidence, Observer, Progress, Sighted, Sighting};
use shakedown_exec::driver::crash::RawSite;
use shakedown_exec::driver::fork_server::ForkServer;
use shakedown_exec::driver::translate;
use shakedown_exec::engine::libfuzzer::ArtifactKind;
use shakedown_exec::process::{Exit, Launcher};
use shakedown_exec::replay::{self, Death, Replayed};
use shakedown_exec::symbolize::Symbolizer;
use shakedown_store::{Store, StoreError};

/// How often a crash is run again, alone. Three tell a flaky one from a steady one without eating a short budget.
const N_CONFIRMATIONS: u32 = 3;

/// An execution that runs into its time limit costs that limit each time, so one confirmation must do.
const N_TIMEOUT_CONFIRMATIONS: u32 = 1;

/// Takes what campaigns and replays see, and keeps it.
pub(crate) struct Collector<'a> {
    launcher: &'a Launcher,
    listener: &'a dyn Listener,
    root: &'a Path,
    run: &'a RunId,
    scratch: &'a Path,
    /// No confirmation begins or lasts beyond this.
    confirm_until: Instant,
    symbolizer: Symbolizer,
    store: Mutex<Store>,
    seen: Mutex<Seen>,
}

/// What this run has seen.
#[derive(Default)]
struct Seen {
    /// Deaths that look the same within one build, and what they turned out to be.
    recognised: HashMap<Recognised, Signature>,
    findings: BTreeMap<Signature, FindingInRun>,
    /// Repetitions that the store has not been told of yet.
    uncounted: BTreeMap<Signature, u64>,
    /// The first thing that the store refused.
    store_error: Option<StoreError>,
}

/// What two sightings of one target in one build have in common when they are the same.
#[derive(PartialEq, Eq, Hash)]
enum Recognised {
    /// Everything that a log says before it is symbolised.
    Told { target: TargetName, kind: CrashKind, exact: Signature, location: Option<String> },
    /// The driver's own site.
    Site { target: TargetName, site: RawSite },
}

impl Recognised {
    fn of(target: &TargetName, crash: &Crash, evidence: &Evidence) -> Self {
        let target = target.clone();
        match evidence {
            Evidence::Caught(raw) => Self::Site { target, site: raw.site },
            Evidence::Death(_) => Self::Told {
                target,
                kind: crash.kind,
                exact: Keys::of(crash).exact,
                location: crash.location.as_ref().map(ToString::to_string),
            },
        }
    }
}

/// What a run has collected.
pub(crate) struct Collected {
    pub(crate) store: Store,
    pub(crate) findings: Vec<FindingInRun>,
    pub(crate) store_error: Option<StoreError>,
}

impl<'a> Collector<'a> {
    pub(crate) fn new(
        launcher: &'a Launcher,
        listener: &'a dyn Listener,
        root: &'a Path,
        run: &'a RunId,
        scratch: &'a Path,
        confirm_until: Instant,
        store: Store,
    ) -> Self {
        Self {
            launcher,
            listener,
            root,
            run,
            scratch,
            confirm_until,
            symbolizer: Symbolizer::new(),
            store: Mutex::new(store),
            seen: Mutex::default(),
        }
    }

    /// Takes a sighting. Says whether this run has seen its like.
    pub(crate) fn take(&self, target: &CampaignTarget, sighting: &Sighting) -> Sighted {
        let first_seen = Witnessed::of(target, sighting.artifact, &sighting.evidence);
        let recognised = Recognised::of(&target.name, &first_seen.crash, &sighting.evidence);
        if self.count_repetition(&recognised) {
            return Sighted::Duplicate;
        }
        match self.sign(target, sighting, first_seen) {
            Ok(signed) => self.record(recognised, signed),
            Err(error) => {
                lock(&self.seen).store_error.get_or_insert(error);
                Sighted::New
            }
        }
    }

    fn count_repetition(&self, recognised: &Recognised) -> bool {
        let mut seen = lock(&self.seen);
        let Some(signature) = seen.recognised.get(recognised).cloned() else { return false };
        if let Some(finding) = seen.findings.get_mut(&signature) {
            finding.n_crashes += 1;
        }
        *seen.uncounted.entry(signature).or_default() += 1;
        true
    }

    /// Runs the input again, symbolises and signs what came of it. What cannot be shown again is signed as it was first
    /// seen.
    fn sign(
        &self,
        target: &CampaignTarget,
        sighting: &Sighting,
        first_seen: Witnessed,
    ) -> Result<SignedCrash, StoreError> {
        let objects = lock(&self.store).objects().clone();
        let input = match &sighting.input {
            Some(bytes) => Some((objects.put(bytes)?, bytes.len() as u64)),
            None => None,
        };
        let confirmations = match (&sighting.input, &input) {
            (Some(bytes), Some((id, _))) => {
                self.confirm(target, bytes, &objects.path(id), first_seen.crash.kind, sighting.artifact)
            }
            _ => Confirmations::default(),
        };
        let (n_tried, mut again) = (confirmations.n_tried, confirmations.witnessed);
        again.iter_mut().for_each(|witnessed| self.symbolizer.resolve(&mut witnessed.crash));
        let keys: Vec<Keys> = again.iter().map(|witnessed| Keys::of(&witnessed.crash)).collect();
        let n_same = keys.iter().filter(|other| other.signature == keys[0].signature).count();
        let Witnessed { crash, log } = again.into_iter().next().unwrap_or_else(|| {
            let mut first_seen = first_seen;
            self.symbolizer.resolve(&mut first_seen.crash);
            first_seen
        });
        Ok(SignedCrash {
            signature: Keys::of(&crash).signature,
            target: target.name.clone(),
            kind: crash.kind,
            severity: crash.severity(),
            title: finding::title(&crash),
            place: finding::place(&crash).map(|place| self.seen_from_root(&place)),
            reproducibility: Reproducibility { n_same: u32::try_from(n_same).unwrap_or(u32::MAX), n_tried },
            input,
            log: objects.put(&log)?,
            seen_at: Timestamp::from(SystemTime::now()),
        })
    }

    fn confirm(
        &self,
        target: &CampaignTarget,
        input: &[u8],
        path: &Path,
        kind: CrashKind,
        artifact: Option<ArtifactKind>,
    ) -> Confirmations {
        let is_timeout = kind == CrashKind::Timeout || artifact == Some(ArtifactKind::Timeout);
        let n_wanted = if is_timeout { N_TIMEOUT_CONFIRMATIONS } else { N_CONFIRMATIONS };
        self.confirm_in_forks(target, input, n_wanted)
            .unwrap_or_else(|| self.confirm_in_processes(target, path, n_wanted))
    }

    /// In forks of a warmed process: milliseconds each. `None` where our driver is not in the target.
    fn confirm_in_forks(
        &self,
        target: &CampaignTarget,
        input: &[u8],
        n_wanted: u32,
    ) -> Option<Confirmations> {
        if !target.program.has_driver {
            return None;
        }
        let limits = target.limits.for_driver();
        let mut server = ForkServer::start(self.launcher, &target.program, limits).ok()?;
        let mut confirmations = Confirmations::default();
        while confirmations.n_tried < n_wanted && !self.is_late() {
            let executed = server.run(input).ok()?;
            confirmations.n_tried += 1;
            confirmations.witnessed.extend(executed.crash.map(|raw| {
                let mut crash = translate::crash_of(&raw);
                crash.target = Some(target.name.clone());
                Witnessed { crash, log: raw.log }
            }));
        }
        Some(confirmations)
    }

    fn confirm_in_processes(&self, target: &CampaignTarget, input: &Path, n_wanted: u32) -> Confirmations {
        let mut confirmations = Confirmations::default();
        while confirmations.n_tried < n_wanted && !self.is_late() {
            let until = Some(self.confirm_until);
            let (program, limits) = (&target.program, &target.limits);
            match replay::confirm(self.launcher, program, limits, input, self.scratch, until) {
                Ok(Replayed::Passed) => {}
                Ok(Replayed::Died(death)) => {
                    let crash = crash_of(target, None, &death);
                    confirmations.witnessed.push(Witnessed { crash, log: death.log });
                }
                // Nothing can be said of a run that did not take place.
                Ok(Replayed::NotRun) | Err(_) => break,
            }
            confirmations.n_tried += 1;
        }
        confirmations
    }

    fn is_late(&self) -> bool {
        Instant::now() >= self.confirm_until || self.launcher.interrupt().is_raised()
    }

    fn record(&self, recognised: Recognised, signed: SignedCrash) -> Sighted {
        let taken = lock(&self.store).take_crash(&signed, self.run);
        let mut seen = lock(&self.seen);
        seen.recognised.insert(recognised, signed.signature.clone());
        let sighted = taken.unwrap_or_else(|error| {
            seen.store_error.get_or_insert(error);
            // It is in this run's report all the same.
            Some(FindingSighted::New)
        });
        if let Some(finding) = seen.findings.get_mut(&signed.signature) {
            finding.n_crashes += 1;
            return Sighted::Duplicate;
        }
        let sighted = sighted.unwrap_or(FindingSighted::Known);
        let event = Event::FindingSeen {
            signature: signed.signature.to_string(),
            target: signed.target.clone(),
            title: signed.title.clone(),
            sighted,
        };
        seen.findings.insert(signed.signature.clone(), finding_in_run(signed, sighted));
        drop(seen);
        self.listener.hear(event);
        Sighted::New
    }

    /// A place in the project, as seen from its root: the rest of the path belongs to one machine.
    fn seen_from_root(&self, place: &str) -> String {
        let root = format!("{}/", self.root.display());
        place.strip_prefix(&root).unwrap_or(place).to_owned()
    }

    /// Ends collecting: what was only counted so far goes into the store.
    pub(crate) fn finish(self) -> Collected {
        let mut store = self.store.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut seen = self.seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        let now = Timestamp::from(SystemTime::now());
        for (signature, n) in &seen.uncounted {
            if let Err(error) = store.count_crashes(signature, *n, now) {
                seen.store_error.get_or_insert(error);
            }
        }
        Collected { store, findings: seen.findings.into_values().collect(), store_error: seen.store_error }
    }
}

impl Observer for Collector<'_> {
    fn progress(&self, target: &TargetName, progress: &Progress) {
        self.listener.hear(Event::TargetProgress {
            target: target.clone(),
            executions: progress.executions,
            executions_per_second: progress.executions_per_second(),
            coverage: progress.coverage,
            features: progress.features,
            corpus_inputs: progress.corpus_inputs,
            n_crashes: progress.n_crashes,
            time: progress.time,
            n_running: progress.n_running,
        });
    }

    fn sighting(&self, target: &CampaignTarget, sighting: Sighting) -> Sighted {
        self.take(target, &sighting)
    }
}

/// A crash, and what was printed with it.
struct Witnessed {
    crash: Crash,
    log: Vec<u8>,
}

impl Witnessed {
    fn of(target: &CampaignTarget, artifact: Option<ArtifactKind>, evidence: &Evidence) -> Self {
        match evidence {
            Evidence::Death(death) => {
                Self { crash: crash_of(target, artifact, death), log: death.log.clone() }
            }
            Evidence::Caught(raw) => {
                let mut crash = translate::crash_of(raw);
                crash.target = Some(target.name.clone());
                Self { crash, log: raw.log.clone() }
            }
        }
    }
}

/// What came of running one input again, alone.
#[derive(Default)]
struct Confirmations {
    n_tried: u32,
    witnessed: Vec<Witnessed>,
}

/// The crash that a log tells of; where it tells of none, what the operating system and libFuzzer's file say.
pub(crate) fn crash_of(target: &CampaignTarget, artifact: Option<ArtifactKind>, death: &Death) -> Crash {
    let told = parse_log(&death.log).first().cloned();
    let kind = match (artifact, death.exit) {
        (Some(ArtifactKind::Timeout), _) | (_, Exit::Timeout | Exit::Failure(70)) => CrashKind::Timeout,
        (Some(ArtifactKind::OutOfMemory), _) | (_, Exit::OutOfMemory | Exit::Failure(71)) => {
            CrashKind::OutOfMemory
        }
        (Some(ArtifactKind::Leak), _) => CrashKind::Leak,
        (Some(ArtifactKind::Crash | ArtifactKind::SlowUnit) | None, Exit::Success | Exit::Failure(_)) => {
            CrashKind::Exit
        }
        (Some(ArtifactKind::Crash | ArtifactKind::SlowUnit) | None, Exit::Signal(_) | Exit::Stopped) => {
            CrashKind::DeadlySignal
        }
    };
    let mut crash = told.unwrap_or_else(|| Crash::of(kind, "exit status"));
    crash.target = Some(target.name.clone());
    crash
}

fn finding_in_run(signed: SignedCrash, sighted: FindingSighted) -> FindingInRun {
    FindingInRun {
        signature: signed.signature,
        target: signed.target,
        kind: signed.kind,
        severity: signed.severity,
        title: signed.title,
        place: signed.place,
        sighted,
        n_crashes: 1,
        reproducibility: signed.reproducibility,
        input: signed.input.map(|(id, _): (InputId, u64)| id),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
