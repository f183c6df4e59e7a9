//! What happens while a run goes on, for whoever watches: progress lines, JSON lines, a live table.
//!
//! Events go sideways: no stage depends on anybody listening, and nothing is decided from them.

use std::time::Duration;

use serde::Serialize;

use crate::finding::Sighted;
use crate::run::RunId;
use crate::target::TargetName;

/// One happening.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The run began.
    RunStarted {
        /// Its name.
        run: RunId,
        /// How long it may take.
        #[serde(rename = "budget_seconds", serialize_with = "optional_seconds")]
        budget: Option<Duration>,
        /// The targets that were chosen.
        targets: Vec<TargetName>,
    },
    /// Something worth knowing.
    Notice {
        /// A sentence.
        text: String,
    },
    /// A crate's build began.
    BuildStarted {
        /// The crate.
        package: String,
        /// How many targets it has to build.
        n_targets: usize,
    },
    /// A unit of a build is ready.
    BuildProgress {
        /// The crate.
        package: String,
        /// The unit.
        unit: String,
        /// How many units are ready.
        n_units: usize,
    },
    /// A crate's build ended.
    BuildFinished {
        /// The crate.
        package: String,
        /// Targets that can be run.
        n_built: usize,
        /// Targets that cannot.
        n_failed: usize,
        /// How long it took.
        #[serde(rename = "seconds", serialize_with = "seconds")]
        wall: Duration,
    },
    /// Inputs that crashed once were run again.
    Replayed {
        /// The target.
        target: TargetName,
        /// How many were run.
        n_inputs: usize,
        /// How many of them crashed.
        n_crashed: usize,
    },
    /// A target's state while it is fuzzed.
    TargetProgress {
        /// The target.
        target: TargetName,
        /// Executions so far.
        executions: u64,
        /// Executions a second of fuzzing time.
        executions_per_second: f64,
        /// Covered edges.
        coverage: u64,
        /// Covered features.
        features: u64,
        /// Inputs in the corpus.
        corpus_inputs: u64,
        /// Crashes so far, duplicates included.
        n_crashes: u64,
        /// Time fuzzed so far.
        #[serde(rename = "seconds", serialize_with = "seconds")]
        time: Duration,
        /// Processes that run now.
        n_running: usize,
    },
    /// A finding was recorded.
    FindingSeen {
        /// Its signature.
        signature: String,
        /// The target.
        target: TargetName,
        /// One line for people.
        title: String,
        /// Whether it is news.
        sighted: Sighted,
    },
}

fn seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((time.as_secs_f64() * 1000.0).round() / 1000.0)
}

#[expect(clippy::ref_option, reason = "serde calls it with a reference")]
fn optional_seconds<S: serde::Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => seconds(time, serializer),
        None => serializer.serialize_none(),
    }
}

/// Who hears of events. Called from several threads.
pub trait Listener: Sync {
    /// Takes one event.
    fn hear(&self, event: Event);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_of_json() {
        let event = Event::BuildFinished {
            package: "p".to_owned(),
            n_built: 2,
            n_failed: 0,
            wall: Duration::from_millis(1500),
        };
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            r#"{"event":"build-finished","package":"p","n_built":2,"n_failed":0,"seconds":1.5}"#
        );
    }
}
