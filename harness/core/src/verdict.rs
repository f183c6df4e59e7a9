//! The verdict on a run: pass, fail, or why it cannot be said.

use serde::{Deserialize, Serialize};

use crate::finding::Sighted;
use crate::run::{FindingInRun, TargetInRun, TargetState};

/// What a run, or a part of it, came to. Ordered: the greater one decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything asked for was measured, and nothing bad is new.
    Pass,
    /// It cannot be said: nothing was measured, or not enough.
    Undecided,
    /// A part of the work could not be done: a build failed, a target doesn't start.
    Broken,
    /// The gate failed: a new crash, a fixed one that is back.
    Fail,
}

impl Outcome {
    /// The word in reports and configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Undecided => "undecided",
            Self::Broken => "broken",
            Self::Fail => "fail",
        }
    }

    /// The documented exit status.
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Broken => 3,
            Self::Undecided => 4,
        }
    }
}

/// One reason, with what it speaks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What this reason alone would make of the run.
    pub outcome: Outcome,
    /// A clause for people, without a full stop.
    pub text: String,
}

/// The verdict on a run, weightiest reasons first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The whole.
    pub outcome: Outcome,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// Which outcomes are failures to a CI system that knows only red and green.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailOn {
    /// Each outcome has its own exit status.
    Own,
    /// These outcomes exit with 1, all others with 0.
    Listed(Vec<Outcome>),
}

impl Verdict {
    /// The exit status under a policy.
    pub fn exit_status(&self, fail_on: &FailOn) -> u8 {
        match fail_on {
            FailOn::Own => self.outcome.exit_status(),
            // Several reasons may stand beside each other; a listed one counts also behind a weightier one.
            FailOn::Listed(listed) => {
                let is_listed = |outcome| listed.contains(&outcome);
                let any =
                    is_listed(self.outcome) || self.reasons.iter().any(|reason| is_listed(reason.outcome));
                u8::from(any)
            }
        }
    }
}

/// Judges what a run saw.
pub fn judge(targets: &[TargetInRun], findings: &[FindingInRun], was_interrupted: bool) -> Verdict {
    // The worst crash first: it is what the run is remembered by.
    let mut worst_first: Vec<&FindingInRun> = findings.iter().collect();
    worst_first.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let mut reasons: Vec<Reason> = worst_first.into_iter().filter_map(reason_of_finding).collect();
    reasons.extend(reason_of_unreached(targets, was_interrupted));
    reasons.extend(targets.iter().filter_map(reason_of_target));
    if targets.is_empty() {
        let text = "nothing was measured: no target was found".to_owned();
        reasons.push(Reason { outcome: Outcome::Undecided, text });
    }
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.outcome));
    let outcome = reasons.first().map_or(Outcome::Pass, |reason| reason.outcome);
    Verdict { outcome, reasons }
}

fn reason_of_finding(finding: &FindingInRun) -> Option<Reason> {
    let what = match finding.sighted {
        Sighted::New => "a new crash",
        Sighted::Reopened => "a fixed crash is back",
        Sighted::Known | Sighted::Ignored => return None,
    };
    let text = format!("{what}: {} in {}", finding.title, finding.target);
    Some(Reason { outcome: Outcome::Fail, text })
}

fn reason_of_target(target: &TargetInRun) -> Option<Reason> {
    match &target.state {
        TargetState::Measured if target.executions == 0 && target.n_crashes == 0 => Some(Reason {
            outcome: Outcome::Undecided,
            text: format!("{} was not executed once", target.name),
        }),
        // Targets that were not reached are told of together: one reason explains them all.
        TargetState::Measured | TargetState::NotReached => None,
        TargetState::Unbuilt { .. } => {
            Some(Reason { outcome: Outcome::Broken, text: format!("{} does not build", target.name) })
        }
        TargetState::Broken { .. } => {
            Some(Reason { outcome: Outcome::Broken, text: format!("{} cannot be run", target.name) })
        }
    }
}

/// Targets whose turn did not come, or may not have come to its end.
fn reason_of_unreached(targets: &[TargetInRun], was_interrupted: bool) -> Option<Reason> {
    let unreached: Vec<_> = targets.iter().filter(|target| target.state == TargetState::NotReached).collect();
    let text = match unreached.as_slice() {
        _ if was_interrupted => "it was interrupted before its time was up".to_owned(),
        [] => return None,
        [only] => format!("the time was up before {} began", only.name),
        several => format!("the time was up before {} targets began", several.len()),
    };
    Some(Reason { outcome: Outcome::Undecided, text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::sample;

    fn check(targets: &[TargetInRun], findings: &[FindingInRun], expected: Outcome) {
        assert_eq!(judge(targets, findings, false).outcome, expected);
    }

    #[test]
    fn known_findings_do_not_fail_the_gate() {
        let targets = [sample::target("parse")];
        check(&targets, &[sample::finding("parse", Sighted::Known)], Outcome::Pass);
        check(&targets, &[sample::finding("parse", Sighted::Ignored)], Outcome::Pass);
        check(&targets, &[sample::finding("parse", Sighted::New)], Outcome::Fail);
        check(&targets, &[sample::finding("parse", Sighted::Reopened)], Outcome::Fail);
    }

    #[test]
    fn nothing_measured_is_undecided_not_pass() {
        check(&[], &[], Outcome::Undecided);
        check(&[TargetInRun { executions: 0, ..sample::target("idle") }], &[], Outcome::Undecided);
        check(
            &[TargetInRun { state: TargetState::NotReached, ..sample::target("late") }],
            &[],
            Outcome::Undecided,
        );
    }

    #[test]
    fn a_broken_target_does_not_hide_a_crash_of_another() {
        let state = TargetState::Unbuilt { why: "error".to_owned() };
        let targets = [TargetInRun { state, ..sample::target("rotten") }, sample::target("parse")];
        check(&targets, &[], Outcome::Broken);
        let verdict = judge(&targets, &[sample::finding("parse", Sighted::New)], false);
        assert_eq!(verdict.outcome, Outcome::Fail);
        assert_eq!(verdict.reasons.len(), 2);
    }

    #[test]
    fn the_worst_crash_is_the_first_reason() {
        let medium = sample::finding("parse", Sighted::New);
        let worse = FindingInRun {
            severity: crate::crash::Severity::Critical,
            title: "heap-use-after-free".to_owned(),
            ..sample::finding("pool", Sighted::New)
        };
        let verdict = judge(&[sample::target("parse"), sample::target("pool")], &[medium, worse], false);
        assert!(verdict.reasons[0].text.contains("heap-use-after-free"), "{verdict:?}");
    }

    #[test]
    fn an_interrupted_run_is_undecided() {
        assert_eq!(judge(&[sample::target("parse")], &[], true).outcome, Outcome::Undecided);
    }

    #[test]
    fn many_targets_that_were_not_reached_are_one_reason() {
        let late = |name| TargetInRun { state: TargetState::NotReached, ..sample::target(name) };
        let text = |was_interrupted| {
            let verdict = judge(&[late("a"), late("b")], &[], was_interrupted);
            assert_eq!(verdict.reasons.len(), 1);
            verdict.reasons[0].text.clone()
        };
        assert_eq!(text(false), "the time was up before 2 targets began");
        assert_eq!(text(true), "it was interrupted before its time was up");
    }

    #[test]
    fn red_and_green_can_be_chosen() {
        let verdict = judge(&[], &[], false);
        assert_eq!(verdict.exit_status(&FailOn::Own), 4);
        assert_eq!(verdict.exit_status(&FailOn::Listed(vec![Outcome::Fail])), 0);
        assert_eq!(verdict.exit_status(&FailOn::Listed(vec![Outcome::Fail, Outcome::Undecided])), 1);
    }
}
