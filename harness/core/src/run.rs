//! A run: one invocation and everything it saw.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::crash::{CrashKind, Severity};
use crate::finding::{Reproducibility, Sighted};
use crate::input::InputId;
use crate::signature::Signature;
use crate::target::TargetName;
use crate::time::Timestamp;
use crate::verdict::Verdict;

/// The name of a run: its start in UTC and eight random digits, so that names sort by time and never meet.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// A name for a run that starts at `start`; `salt` tells runs of the same second apart (process id, clock ticks).
    pub fn new(start: Timestamp, salt: &str) -> Self {
        let digits: String = start.to_string().chars().filter(char::is_ascii_digit).collect();
        let (date, time) = digits.split_at(8);
        let hash = InputId::of(format!("{start}/{salt}").as_bytes());
        Self(format!("{date}-{time}-{}", &hash.as_str()[..8]))
    }

    /// Takes a name from the store or the command line.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunId({})", self.0)
    }
}

/// One invocation and everything it saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its name.
    pub id: RunId,
    /// When it started.
    pub started_at: Timestamp,
    /// How long it took, builds included.
    pub wall: Duration,
    /// How long it was allowed to take.
    pub budget: Option<Duration>,
    /// The words that started it.
    pub command: String,
    /// Where it ran and on what.
    pub environment: Environment,
    /// What became of each target.
    pub targets: Vec<TargetInRun>,
    /// Each distinct defect that was seen.
    pub findings: Vec<FindingInRun>,
    /// What else is worth saying.
    pub notices: Vec<String>,
    /// What it came to.
    pub verdict: Verdict,
}

/// Where a run took place and on what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// The commit that was checked out, and whether there were changes on top.
    pub revision: Option<String>,
    /// The compiler, in its own words.
    pub toolchain: Option<String>,
    /// The sanitizer in the targets, or why there is none.
    pub instrumentation: Option<String>,
    /// Operating system, architecture, processor.
    pub machine: String,
    /// Processes that fuzzed at once.
    pub n_jobs: usize,
    /// This program's version.
    pub shakedown: String,
}

/// What became of a target in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetInRun {
    /// Its name.
    pub name: TargetName,
    /// Whether it was measured.
    pub state: TargetState,
    /// Executions.
    pub executions: u64,
    /// Time in which a process fuzzed it, summed over jobs.
    pub time: Duration,
    /// The most edges that one process covered.
    pub coverage: u64,
    /// The most features that one process covered.
    pub features: u64,
    /// Inputs in its corpus at the end.
    pub corpus_inputs: u64,
    /// Executions that failed.
    pub n_crashes: u64,
    /// Distinct findings.
    pub n_findings: u64,
    /// Inputs run before fuzzing because they crashed once.
    pub n_replayed: u64,
    /// Whether its last slice ended since nothing but known crashes came.
    pub is_blocked: bool,
}

impl TargetInRun {
    /// Executions a second of fuzzing time; zero where it was not fuzzed.
    pub fn executions_per_second(&self) -> f64 {
        let seconds = self.time.as_secs_f64();
        if seconds > 0.0 { self.executions as f64 / seconds } else { 0.0 }
    }
}

/// Whether a target was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum TargetState {
    /// It ran.
    Measured,
    /// It does not build.
    Unbuilt {
        /// The compiler's error.
        why: String,
    },
    /// It builds, but cannot be fuzzed.
    Broken {
        /// What happened instead.
        why: String,
    },
    /// The time was up before its turn.
    NotReached,
}

/// A finding as one run saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingInRun {
    /// Its signature.
    pub signature: Signature,
    /// The target that showed it first.
    pub target: TargetName,
    /// What kind of crash it is.
    pub kind: CrashKind,
    /// How bad it is.
    pub severity: Severity,
    /// One line for people.
    pub title: String,
    /// Where in the code, as `file:line` or a function.
    pub place: Option<String>,
    /// Whether it is news.
    pub sighted: Sighted,
    /// How often it was seen in this run.
    pub n_crashes: u64,
    /// How often its input showed it again, alone in a fresh process.
    pub reproducibility: Reproducibility,
    /// The input to reproduce it with; `None` where the input was lost.
    pub input: Option<InputId>,
}

/// Values for tests of what is built on runs.
#[cfg(any(test, feature = "samples"))]
pub mod sample {
    use super::{
        CrashKind, Duration, Environment, FindingInRun, InputId, Reproducibility, Run, RunId, Severity,
        Sighted, Signature, TargetInRun, TargetName, TargetState, Timestamp,
    };
    use crate::verdict::judge;

    /// A run with one target that is fine, one that does not build, and a new crash.
    pub fn run() -> Run {
        let started_at = Timestamp(1_764_000_000_000);
        let unbuilt = TargetState::Unbuilt { why: "error[E0425]: cannot find value `x`".to_owned() };
        let targets = vec![
            TargetInRun { n_crashes: 3, n_findings: 1, ..target("parse") },
            TargetInRun { state: unbuilt, executions: 0, time: Duration::ZERO, ..target("rotten") },
        ];
        let findings = vec![finding("parse", Sighted::New)];
        Run {
            id: RunId::new(started_at, "sample"),
            started_at,
            wall: Duration::from_millis(61_500),
            budget: Some(Duration::from_secs(60)),
            command: "shakedown fuzz --for 60s".to_owned(),
            environment: Environment {
                revision: Some("0123abc".to_owned()),
                toolchain: Some("rustc 1.95.0".to_owned()),
                instrumentation: Some("AddressSanitizer".to_owned()),
                machine: "linux x86_64, 2 cores".to_owned(),
                n_jobs: 2,
                shakedown: "0.1.0".to_owned(),
            },
            verdict: judge(&targets, &findings, false),
            targets,
            findings,
            notices: vec!["a notice".to_owned()],
        }
    }

    /// A target that ran well.
    pub fn target(name: &str) -> TargetInRun {
        TargetInRun {
            name: TargetName::new(name),
            state: TargetState::Measured,
            executions: 120_000,
            time: Duration::from_secs(30),
            coverage: 512,
            features: 2_048,
            corpus_inputs: 77,
            n_crashes: 0,
            n_findings: 0,
            n_replayed: 0,
            is_blocked: false,
        }
    }

    /// A signature that stands for `defect`.
    pub fn signature(defect: &str) -> Signature {
        format!("v1:{}", InputId::of(defect.as_bytes())).parse().expect("64 hex digits behind a version")
    }

    /// A panic in `target`.
    pub fn finding(target: &str, sighted: Sighted) -> FindingInRun {
        FindingInRun {
            signature: signature(target),
            target: TargetName::new(target),
            kind: CrashKind::Panic,
            severity: Severity::Medium,
            title: "panic: index out of bounds: the len is N but the index is N".to_owned(),
            place: Some("src/parse.rs:12".to_owned()),
            sighted,
            n_crashes: 3,
            reproducibility: Reproducibility { n_same: 3, n_tried: 3 },
            input: Some(InputId::of(b"boom")),
        }
    }
}
