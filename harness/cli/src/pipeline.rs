//! A run from end to end: plan, execute, collect and triage, judge, record. The command reports and gates.

use std::time::{Instant, SystemTime};

use shakedown_core::event::{Event, Listener};
use shakedown_core::run::{Environment, FindingInRun, Run, RunId, TargetInRun, TargetState};
use shakedown_core::target::TargetName;
use shakedown_core::time::Timestamp;
use shakedown_core::verdict::{Outcome, Reason, judge};
use shakedown_exec::campaign::{self, CampaignSettings, CampaignTarget, Progress};
use shakedown_exec::process::Launcher;
use shakedown_exec::{chain, machine};
use shakedown_store::Store;

use crate::config::Settings;
use crate::error::CliError;
use crate::stage::collect::{Collected, Collector};
use crate::stage::confirm::Confirmer;
use crate::stage::grouping::Grouping;
use crate::stage::plan::{Plan, plan};
use crate::stage::prepare::{Preparation, prepare};
use crate::stage::replay::{Replayer, Replays, old_inputs};

/// Runs the stage. Whatever was found is in the returned run and, unless that says otherwise, in the store.
pub(crate) fn run(
    launcher: &Launcher,
    settings: &Settings,
    listener: &dyn Listener,
    command: &str,
) -> Result<Run, CliError> {
    let clock = Clock::start();
    let state = &settings.state.value;
    let mut store = Store::open(state)?;
    let grouping = Grouping::read(&settings.root)?;
    let scratch = scratch(state)?;
    let plan = plan(launcher, settings, clock.started)?;
    // Asked now, since git would not be waited for after an interrupt.
    let environment = environment(launcher, settings, &plan);
    let id = RunId::new(clock.started_at, &format!("{}/{:?}", std::process::id(), clock.started));
    store.begin_run(&id, clock.started_at, command)?;
    let targets = plan.target_names();
    listener.hear(Event::RunStarted { run: id.clone(), budget: Some(settings.budget.value), targets });
    plan.notices.iter().for_each(|notice| listener.hear(Event::Notice { text: notice.clone() }));

    let Preparation { ready, unready, notices } = prepare(launcher, settings, listener, &plan);
    let old = old_inputs(&store, &ready)?;
    let confirmer = Confirmer { launcher, scratch: scratch.path(), until: plan.deadlines.end };
    let collector = Collector::new(listener, &settings.root, &id, confirmer, grouping, store);
    let replayer = Replayer {
        launcher,
        listener,
        collector: &collector,
        scratch: scratch.path(),
        until: plan.deadlines.work,
        n_jobs: settings.n_jobs.value,
    };
    let replays = replayer.run(&ready, &old);
    let campaign_targets: Vec<CampaignTarget> =
        ready.iter().map(|prepared| prepared.target.clone()).collect();
    let campaign_settings = CampaignSettings {
        n_jobs: settings.n_jobs.value,
        until: plan.deadlines.work,
        seed: settings.seed.value.unwrap_or(clock.seed()),
        scratch: scratch.path().to_path_buf(),
    };
    let progress = campaign::run(launcher, &campaign_targets, &campaign_settings, &collector);

    let mut collected = collector.finish();
    let mut targets = targets_in_run(&campaign_targets, progress, &replays, &collected);
    targets.extend(unready.into_iter().map(|(name, state)| unmeasured(name, state)));
    targets.sort_by(|a, b| a.name.cmp(&b.name));
    let mut run = Run {
        verdict: judge(&targets, &collected.findings, launcher.interrupt().is_raised()),
        id,
        started_at: clock.started_at,
        wall: clock.started.elapsed(),
        budget: Some(settings.budget.value),
        command: command.to_owned(),
        environment,
        targets,
        findings: std::mem::take(&mut collected.findings),
        notices: plan.notices.into_iter().chain(notices).chain(replays.notices).collect(),
    };
    record(&mut run, collected);
    Ok(run)
}

/// Two views of one moment: one to measure from, one to write down.
struct Clock {
    started: Instant,
    started_at: Timestamp,
}

impl Clock {
    fn start() -> Self {
        Self { started: Instant::now(), started_at: Timestamp::from(SystemTime::now()) }
    }

    /// A seed for a run that was given none: said in no report, since libFuzzer on several cores repeats nothing anyway.
    fn seed(&self) -> u32 {
        u32::try_from(self.started_at.0 & 0xffff_ffff).unwrap_or(1)
    }
}

/// A folder for what lives as long as the run. What an earlier run that was killed left behind goes first.
fn scratch(state: &std::path::Path) -> Result<tempfile::TempDir, CliError> {
    let folder = state.join("tmp");
    let failed = |source| CliError::Folder { path: folder.clone(), source };
    std::fs::create_dir_all(&folder).map_err(failed)?;
    sweep(&folder);
    tempfile::Builder::new()
        .prefix(&format!("run-{}-", std::process::id()))
        .tempdir_in(&folder)
        .map_err(failed)
}

/// Removes the folders of processes that are no more.
fn sweep(folder: &std::path::Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.strip_prefix("run-").and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        if owner.is_some_and(|pid| !std::path::Path::new(&format!("/proc/{pid}")).exists()) {
            // Waste that cannot be removed stays waste.
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}

fn targets_in_run(
    targets: &[CampaignTarget],
    progress: Vec<Progress>,
    replays: &Replays,
    collected: &Collected,
) -> Vec<TargetInRun> {
    let n_findings = |name: &TargetName| {
        collected.findings.iter().filter(|finding: &&FindingInRun| finding.target == *name).count() as u64
    };
    let replayed = |name: &TargetName| replays.counts.get(name).copied().unwrap_or_default();
    let in_run = |(target, progress): (&CampaignTarget, Progress)| TargetInRun {
        name: target.name.clone(),
        state: match progress.broken {
            Some(why) => TargetState::Broken { why },
            None if progress.n_processes == 0 => TargetState::NotReached,
            None => TargetState::Measured,
        },
        executions: progress.executions,
        time: progress.time,
        coverage: progress.coverage,
        features: progress.features,
        corpus_inputs: target.corpus.size().0,
        n_crashes: progress.n_crashes + replayed(&target.name).1,
        n_findings: n_findings(&target.name),
        n_replayed: replayed(&target.name).0,
        is_blocked: progress.is_blocked,
    };
    targets.iter().zip(progress).map(in_run).collect()
}

fn unmeasured(name: TargetName, state: TargetState) -> TargetInRun {
    TargetInRun {
        name,
        state,
        executions: 0,
        time: std::time::Duration::ZERO,
        coverage: 0,
        features: 0,
        corpus_inputs: 0,
        n_crashes: 0,
        n_findings: 0,
        n_replayed: 0,
        is_blocked: false,
    }
}

fn environment(launcher: &Launcher, settings: &Settings, plan: &Plan) -> Environment {
    Environment {
        revision: machine::revision(launcher, &settings.root),
        toolchain: plan.compiler.as_ref().map(|compiler| compiler.toolchain.version.clone()),
        instrumentation: plan.compiler.as_ref().map(|compiler| compiler.instrumentation_words.clone()),
        machine: machine::describe(),
        n_jobs: settings.n_jobs.value,
        shakedown: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// Keeps the run. A store that refuses is a reason of the verdict: the findings are in the report, but not remembered.
fn record(run: &mut Run, collected: Collected) {
    let Collected { mut store, store_error, .. } = collected;
    let refused = store_error.or_else(|| store.finish_run(run).err());
    if let Some(error) = refused {
        let text = format!("not everything could be recorded: {}", chain(&error));
        run.verdict.reasons.push(Reason { outcome: Outcome::Broken, text });
        run.verdict.outcome = run.verdict.outcome.max(Outcome::Broken);
    }
}
