//! Confirm: an input that crashed is run again alone, in fresh copies of its target.

use std::path::Path;
use std::time::Instant;

use shakedown_core::crash::{Crash, CrashKind};
use shakedown_core::formats::parse_log;
use shakedown_exec::campaign::{CampaignTarget, Evidence};
use shakedown_exec::driver::crash::RawCrash;
use shakedown_exec::driver::fork_server::ForkServer;
use shakedown_exec::driver::translate;
use shakedown_exec::engine::libfuzzer::ArtifactKind;
use shakedown_exec::process::{Exit, Launcher};
use shakedown_exec::replay::{self, Death, Replayed};

/// How often a crash is run again, alone. Three tell a flaky one from a steady one without eating a short budget.
const N_CONFIRMATIONS: u32 = 3;

/// An execution that runs into its time limit costs that limit each time, so one confirmation must do.
const N_TIMEOUT_CONFIRMATIONS: u32 = 1;

/// Runs inputs again.
pub(crate) struct Confirmer<'a> {
    pub(crate) launcher: &'a Launcher,
    pub(crate) scratch: &'a Path,
    /// No confirmation begins or lasts beyond this.
    pub(crate) until: Instant,
}

impl Confirmer<'_> {
    /// Runs `input`, which is also the file at `path`, as often as its kind is worth.
    pub(crate) fn confirm(
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
            confirmations.witnessed.extend(executed.crash.as_ref().map(|raw| Witnessed::caught(target, raw)));
        }
        Some(confirmations)
    }

    /// In plain processes of their own.
    pub(crate) fn confirm_in_processes(
        &self,
        target: &CampaignTarget,
        input: &Path,
        n_wanted: u32,
    ) -> Confirmations {
        let mut confirmations = Confirmations::default();
        while confirmations.n_tried < n_wanted && !self.is_late() {
            let until = Some(self.until);
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
        Instant::now() >= self.until || self.launcher.interrupt().is_raised()
    }
}

/// A crash, and what was printed with it.
pub(crate) struct Witnessed {
    pub(crate) crash: Crash,
    pub(crate) log: Vec<u8>,
}

impl Witnessed {
    /// What a sighting says by itself.
    pub(crate) fn of(target: &CampaignTarget, artifact: Option<ArtifactKind>, evidence: &Evidence) -> Self {
        match evidence {
            Evidence::Death(death) => {
                Self { crash: crash_of(target, artifact, death), log: death.log.clone() }
            }
            Evidence::Caught(raw) => Self::caught(target, raw),
        }
    }

    /// What the driver caught.
    pub(crate) fn caught(target: &CampaignTarget, raw: &RawCrash) -> Self {
        let mut crash = translate::crash_of(raw);
        crash.target = Some(target.name.clone());
        Self { crash, log: raw.log.clone() }
    }
}

/// What came of running one input again, alone.
#[derive(Default)]
pub(crate) struct Confirmations {
    pub(crate) n_tried: u32,
    pub(crate) witnessed: Vec<Witnessed>,
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
