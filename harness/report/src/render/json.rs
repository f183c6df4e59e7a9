//! For programs: one object with a version (docs/formats.md).

use serde::Serialize;
use shakedown_core::run::{Environment, FindingInRun, Run, TargetInRun, TargetState};
use shakedown_core::verdict::Verdict;

/// The version of the object below.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Report<'a> {
    event: &'static str,
    version: u32,
    run: &'a str,
    started_at: String,
    seconds: f64,
    budget_seconds: Option<f64>,
    command: &'a str,
    verdict: &'a Verdict,
    environment: &'a Environment,
    targets: Vec<Target<'a>>,
    findings: Vec<Finding<'a>>,
    notices: &'a [String],
}

#[derive(Serialize)]
struct Target<'a> {
    name: &'a str,
    #[serde(flatten)]
    state: &'a TargetState,
    executions: u64,
    executions_per_second: f64,
    seconds: f64,
    coverage: u64,
    features: u64,
    corpus_inputs: u64,
    n_replayed: u64,
    n_crashes: u64,
    n_findings: u64,
    is_blocked: bool,
}

#[derive(Serialize)]
struct Finding<'a> {
    signature: String,
    sighted: &'a str,
    target: &'a str,
    kind: &'a str,
    severity: &'a str,
    title: &'a str,
    place: Option<&'a str>,
    n_crashes: u64,
    n_reproduced: u32,
    n_tried: u32,
    input: Option<&'a str>,
}

/// Lays out a run as one line of JSON.
pub fn render(run: &Run) -> String {
    let report = Report {
        event: "report",
        version: VERSION,
        run: run.id.as_str(),
        started_at: run.started_at.to_string(),
        seconds: run.wall.as_secs_f64(),
        budget_seconds: run.budget.map(|budget| budget.as_secs_f64()),
        command: &run.command,
        verdict: &run.verdict,
        environment: &run.environment,
        targets: run.targets.iter().map(target).collect(),
        findings: run.findings.iter().map(finding).collect(),
        notices: &run.notices,
    };
    serde_json::to_string(&report).expect("a report has string keys and finite numbers only")
}

fn target(target: &TargetInRun) -> Target<'_> {
    Target {
        name: target.name.as_str(),
        state: &target.state,
        executions: target.executions,
        executions_per_second: target.executions_per_second(),
        seconds: target.time.as_secs_f64(),
        coverage: target.coverage,
        features: target.features,
        corpus_inputs: target.corpus_inputs,
        n_replayed: target.n_replayed,
        n_crashes: target.n_crashes,
        n_findings: target.n_findings,
        is_blocked: target.is_blocked,
    }
}

fn finding(finding: &FindingInRun) -> Finding<'_> {
    Finding {
        signature: finding.signature.to_string(),
        sighted: finding.sighted.as_str(),
        target: finding.target.as_str(),
        kind: finding.kind.as_str(),
        severity: finding.severity.as_str(),
        title: &finding.title,
        place: finding.place.as_deref(),
        n_crashes: finding.n_crashes,
        n_reproduced: finding.reproducibility.n_same,
        n_tried: finding.reproducibility.n_tried,
        input: finding.input.as_ref().map(shakedown_core::input::InputId::as_str),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shakedown_core::run::sample;

    #[test]
    fn a_report_is_one_line_with_a_version() {
        let line = render(&sample::run());
        assert!(!line.contains('\n'));
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["version"], 1);
        assert_eq!(value["verdict"]["outcome"], "fail");
        assert_eq!(value["targets"][1]["state"], "unbuilt");
    }
}
