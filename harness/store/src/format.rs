//! What a stored run looks like: JSON of its own, with a version, so that the domain may change and old runs stay readable.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shakedown_core::finding::{Reproducibility, Sighted};
use shakedown_core::input::InputId;
use shakedown_core::run::{Environment, FindingInRun, Run, RunId, TargetInRun, TargetState};
use shakedown_core::target::TargetName;
use shakedown_core::time::Timestamp;
use shakedown_core::verdict::Verdict;

/// The version that is written.
const VERSION: u32 = 1;

/// A run, version 1.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredRun {
    version: u32,
    id: RunId,
    started_at: Timestamp,
    wall_ms: u64,
    budget_ms: Option<u64>,
    command: String,
    environment: Environment,
    targets: Vec<StoredTarget>,
    findings: Vec<StoredFinding>,
    notices: Vec<String>,
    verdict: Verdict,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredTarget {
    name: TargetName,
    #[serde(flatten)]
    state: TargetState,
    executions: u64,
    time_ms: u64,
    coverage: u64,
    features: u64,
    corpus_inputs: u64,
    n_crashes: u64,
    n_findings: u64,
    n_replayed: u64,
    is_blocked: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredFinding {
    signature: String,
    target: TargetName,
    kind: String,
    severity: String,
    title: String,
    place: Option<String>,
    sighted: Sighted,
    n_crashes: u64,
    reproducibility: Reproducibility,
    input: Option<InputId>,
}

/// Why a stored run cannot be understood.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FormatError {
    /// It was written by a newer version.
    #[error("it has version {found}, and this shakedown knows version {VERSION}")]
    Version { found: u32 },
    /// A word in it is none of ours.
    #[error("`{word}` is no {what}")]
    Word { what: &'static str, word: String },
}

impl From<&Run> for StoredRun {
    fn from(run: &Run) -> Self {
        Self {
            version: VERSION,
            id: run.id.clone(),
            started_at: run.started_at,
            wall_ms: millis(run.wall),
            budget_ms: run.budget.map(millis),
            command: run.command.clone(),
            environment: run.environment.clone(),
            targets: run.targets.iter().map(StoredTarget::from).collect(),
            findings: run.findings.iter().map(StoredFinding::from).collect(),
            notices: run.notices.clone(),
            verdict: run.verdict.clone(),
        }
    }
}

impl TryFrom<StoredRun> for Run {
    type Error = FormatError;

    fn try_from(stored: StoredRun) -> Result<Self, FormatError> {
        if stored.version != VERSION {
            return Err(FormatError::Version { found: stored.version });
        }
        Ok(Self {
            id: stored.id,
            started_at: stored.started_at,
            wall: Duration::from_millis(stored.wall_ms),
            budget: stored.budget_ms.map(Duration::from_millis),
            command: stored.command,
            environment: stored.environment,
            targets: stored.targets.into_iter().map(TargetInRun::from).collect(),
            findings: stored.findings.into_iter().map(FindingInRun::try_from).collect::<Result<_, _>>()?,
            notices: stored.notices,
            verdict: stored.verdict,
        })
    }
}

impl From<&TargetInRun> for StoredTarget {
    fn from(target: &TargetInRun) -> Self {
        Self {
            name: target.name.clone(),
            state: target.state.clone(),
            executions: target.executions,
            time_ms: millis(target.time),
            coverage: target.coverage,
            features: target.features,
            corpus_inputs: target.corpus_inputs,
            n_crashes: target.n_crashes,
            n_findings: target.n_findings,
            n_replayed: target.n_replayed,
            is_blocked: target.is_blocked,
        }
    }
}

impl From<StoredTarget> for TargetInRun {
    fn from(stored: StoredTarget) -> Self {
        Self {
            name: stored.name,
            state: stored.state,
            executions: stored.executions,
            time: Duration::from_millis(stored.time_ms),
            coverage: stored.coverage,
            features: stored.features,
            corpus_inputs: stored.corpus_inputs,
            n_crashes: stored.n_crashes,
            n_findings: stored.n_findings,
            n_replayed: stored.n_replayed,
            is_blocked: stored.is_blocked,
        }
    }
}

impl From<&FindingInRun> for StoredFinding {
    fn from(finding: &FindingInRun) -> Self {
        Self {
            signature: finding.signature.to_string(),
            target: finding.target.clone(),
            kind: finding.kind.as_str().to_owned(),
            severity: finding.severity.as_str().to_owned(),
            title: finding.title.clone(),
            place: finding.place.clone(),
            sighted: finding.sighted,
            n_crashes: finding.n_crashes,
            reproducibility: finding.reproducibility,
            input: finding.input.clone(),
        }
    }
}

impl TryFrom<StoredFinding> for FindingInRun {
    type Error = FormatError;

    fn try_from(stored: StoredFinding) -> Result<Self, FormatError> {
        Ok(Self {
            signature: word("signature", &stored.signature)?,
            target: stored.target,
            kind: word("kind of crash", &stored.kind)?,
            severity: word("severity", &stored.severity)?,
            title: stored.title,
            place: stored.place,
            sighted: stored.sighted,
            n_crashes: stored.n_crashes,
            reproducibility: stored.reproducibility,
            input: stored.input,
        })
    }
}

fn word<T: std::str::FromStr>(what: &'static str, word: &str) -> Result<T, FormatError> {
    word.parse().map_err(|_| FormatError::Word { what, word: word.chars().take(80).collect() })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shakedown_core::run::sample;

    #[test]
    fn a_run_of_a_newer_version_is_said_to_be_one() {
        let stored = StoredRun { version: 2, ..StoredRun::from(&sample::run()) };
        assert!(matches!(Run::try_from(stored), Err(FormatError::Version { found: 2 })));
    }
}
