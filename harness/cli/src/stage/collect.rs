//! Collect and triage: everything bad that happens becomes a signed crash in the store, within seconds.
//!
//! A sighting is first compared with those of this run ([`Recognised`]): most are repetitions and are only counted. What
//! is not recognised is run again alone, in fresh copies of the target, symbolised, signed and recorded before anything
//! else happens.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use shakedown_core::crash::{Crash, CrashKind};
use shakedown_core::event::{Event, Listener};
use shakedown_core::finding::{FindingState, Reproducibility, Sighted as FindingSighted, SignedCrash};
use shakedown_core::frame::Frame;
use shakedown_core::input::InputId;
use shakedown_core::run::{FindingInRun, RunId};
use shakedown_core::signature::{Keys, Merge, Signature};
use shakedown_core::target::TargetName;
use shakedown_core::time::Timestamp;
use shakedown_exec::campaign::{CampaignTarget, Evidence, Observer, Progress, Sighted, Sighting};
use shakedown_exec::driver::crash::RawSite;
use shakedown_exec::symbolize::Symbolizer;
use shakedown_store::{Store, StoreError};

use crate::stage::confirm::{Confirmations, Confirmer, Witnessed};
use crate::stage::grouping::Grouping;

/// Takes what campaigns and replays see, and keeps it.
pub(crate) struct Collector<'a> {
    listener: &'a dyn Listener,
    root: &'a Path,
    run: &'a RunId,
    confirmer: Confirmer<'a>,
    symbolizer: Symbolizer,
    grouping: Mutex<Grouping>,
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

impl Seen {
    /// Two findings of this run are one after all.
    fn fold(&mut self, merge: &Merge) {
        let Some(folded) = self.findings.remove(&merge.from) else { return };
        match self.findings.get_mut(&merge.into) {
            Some(finding) => finding.n_crashes += folded.n_crashes,
            None => {
                let renamed = FindingInRun { signature: merge.into.clone(), ..folded };
                self.findings.insert(merge.into.clone(), renamed);
            }
        }
    }
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
        listener: &'a dyn Listener,
        root: &'a Path,
        run: &'a RunId,
        confirmer: Confirmer<'a>,
        grouping: Grouping,
        store: Store,
    ) -> Self {
        Self {
            listener,
            root,
            run,
            confirmer,
            symbolizer: Symbolizer::new(),
            grouping: Mutex::new(grouping),
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
        let recorded = self
            .sign(target, sighting, first_seen)
            .and_then(|(signed, ignored)| self.record(recognised, signed, ignored));
        recorded.unwrap_or_else(|error| {
            lock(&self.seen).store_error.get_or_insert(error);
            Sighted::New
        })
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
    ) -> Result<(SignedCrash, Option<String>), StoreError> {
        let objects = lock(&self.store).objects().clone();
        let input = match &sighting.input {
            Some(bytes) => Some((objects.put(bytes)?, bytes.len() as u64)),
            None => None,
        };
        let confirmations = match (&sighting.input, &input) {
            (Some(bytes), Some((id, _))) => {
                let (path, kind) = (objects.path(id), first_seen.crash.kind);
                self.confirmer.confirm(target, bytes, &path, kind, sighting.artifact)
            }
            _ => Confirmations::default(),
        };
        let (n_tried, mut again) = (confirmations.n_tried, confirmations.witnessed);
        again.iter_mut().for_each(|witnessed| self.symbolizer.resolve(&mut witnessed.crash));
        let signatures: Vec<Signature> =
            again.iter().map(|witnessed| Keys::of(&witnessed.crash).signature).collect();
        let n_same = signatures.iter().filter(|signature| **signature == signatures[0]).count();
        let witnessed = again.into_iter().next().unwrap_or_else(|| {
            let mut first_seen = first_seen;
            self.symbolizer.resolve(&mut first_seen.crash);
            first_seen
        });
        let input_id = input.as_ref().map(|(id, _)| id);
        let path = input_id.map(|id| objects.path(id));
        let Witnessed { crash, log } = self.with_place(target, path.as_deref(), witnessed);
        let (mut finding, ignored) = self.belongs_to(&crash);
        if is_limit(crash.kind) {
            finding = self.same_limit(&crash, input_id, &target.name, finding)?;
        }
        let mut signed = SignedCrash::of(&crash, finding, target.name.clone());
        signed.place = signed.place.map(|place| self.seen_from_root(&place));
        signed.reproducibility =
            Reproducibility { n_same: u32::try_from(n_same).unwrap_or(u32::MAX), n_tried };
        signed.input = input;
        signed.log = objects.put(&log)?;
        signed.seen_at = Timestamp::from(SystemTime::now());
        Ok((signed, ignored))
    }

    /// Memory can run out where nobody sees it: in a copy of the process at the kernel's limit, without a stack. A process of
    /// its own under libFuzzer's limit tells more, so it is asked before the crash is named.
    fn with_place(&self, target: &CampaignTarget, input: Option<&Path>, witnessed: Witnessed) -> Witnessed {
        let (CrashKind::OutOfMemory, true, Some(path)) =
            (witnessed.crash.kind, is_placeless(&witnessed.crash), input)
        else {
            return witnessed;
        };
        let mut again = self.confirmer.confirm_in_processes(target, path, 1).witnessed;
        again.iter_mut().for_each(|witnessed| self.symbolizer.resolve(&mut witnessed.crash));
        again.retain(|witnessed| !is_placeless(&witnessed.crash));
        again.into_iter().next().unwrap_or(witnessed)
    }

    /// Where a limit of time or memory strikes is chance, and with it sometimes the signature. An input that did so before
    /// shows the same defect again, whatever it is called this time; and a crash without a place is the target's oldest one.
    fn same_limit(
        &self,
        crash: &Crash,
        input: Option<&InputId>,
        target: &TargetName,
        named: Signature,
    ) -> Result<Signature, StoreError> {
        let mut store = lock(&self.store);
        let mut known = match input {
            Some(input) => store.shown_by(input, target, crash.kind)?,
            None => None,
        };
        if known.is_none() && is_placeless(crash) {
            known = store.oldest_of(target, crash.kind)?;
        }
        match known {
            Some(known) if known != store.resolve(&named)? => {
                let now = Timestamp::from(SystemTime::now());
                store.fold(&named, &known, "the same limit, met in another function", now)?;
                Ok(known)
            }
            Some(_) | None => Ok(named),
        }
    }

    /// The finding that a crash belongs to, and why it is to be ignored, if it is.
    fn belongs_to(&self, crash: &Crash) -> (Signature, Option<String>) {
        let mut grouping = lock(&self.grouping);
        let own = grouping.add(crash).signature;
        let (assignments, _) = grouping.assign();
        match assignments.into_iter().next_back() {
            Some(assignment) => (assignment.finding, assignment.ignored.map(|decision| decision.reason)),
            None => (own, None),
        }
    }

    fn record(
        &self,
        recognised: Recognised,
        mut signed: SignedCrash,
        ignored: Option<String>,
    ) -> Result<Sighted, StoreError> {
        let taken = {
            let mut store = lock(&self.store);
            let taken = store.resolve(&signed.signature).and_then(|finding| {
                signed.signature = finding;
                store.take_crash(&signed, self.run)
            });
            if let (Ok(Some(FindingSighted::New)), Some(reason)) = (&taken, &ignored) {
                store.set_finding_state(&signed.signature, FindingState::Ignored, reason, signed.seen_at)?;
            }
            taken
        };
        let mut seen = lock(&self.seen);
        seen.recognised.insert(recognised, signed.signature.clone());
        if let Some(finding) = seen.findings.get_mut(&signed.signature) {
            finding.n_crashes += 1;
            return taken.map(|_| Sighted::Duplicate);
        }
        let sighted = match (&taken, ignored) {
            (_, Some(_)) => FindingSighted::Ignored,
            (Ok(sighted), None) => sighted.unwrap_or(FindingSighted::Known),
            // It is in this run's report all the same.
            (Err(_), None) => FindingSighted::New,
        };
        let event = Event::FindingSeen {
            signature: signed.signature.to_string(),
            target: signed.target.clone(),
            title: signed.title.clone(),
            sighted,
        };
        seen.findings.insert(signed.signature.clone(), finding_in_run(signed, sighted));
        drop(seen);
        self.listener.hear(event);
        taken.map(|_| Sighted::New)
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
        let grouping = self.grouping.into_inner().unwrap_or_else(PoisonError::into_inner);
        let now = Timestamp::from(SystemTime::now());
        for (signature, n) in &seen.uncounted {
            if let Err(error) = store.count_crashes(signature, *n, now) {
                seen.store_error.get_or_insert(error);
            }
        }
        for merge in grouping.assign().1 {
            seen.fold(&merge);
            if let Err(error) = store.fold(&merge.from, &merge.into, merge.reason.as_str(), now) {
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

/// Whether a crash is a limit that was met, which can happen anywhere in the code that is at fault.
fn is_limit(kind: CrashKind) -> bool {
    matches!(kind, CrashKind::Timeout | CrashKind::OutOfMemory)
}

/// Whether nothing of the code under test is on the stack, but for the fuzz target itself.
fn is_placeless(crash: &Crash) -> bool {
    crash.significant_frames().all(Frame::is_fuzz_target)
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
