//! The canary must fail: every planted defect is found, once, and nothing else is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use shakedown_tests::expected::{self, Defect};
use shakedown_tests::project::Project;
use shakedown_tests::repository;
use shakedown_tests::said::Report;

/// What a run may take beyond its budget.
const SLACK: Duration = Duration::from_secs(10);

fn canary() -> Project {
    Project::copy_of(&repository().join("examples/canary"))
}

fn fuzz(project: &Project, words: &[&str], seconds: u64) -> shakedown_tests::said::Said {
    let budget = format!("{seconds}s");
    let words = ["fuzz"].iter().chain(words).copied().chain(["--for", &budget, "--jobs", "2", "--json"]);
    let said = project.shakedown(words).within(Duration::from_secs(seconds) + SLACK + SLACK).run();
    said.took_at_most(Duration::from_secs(seconds) + SLACK).leaves_no_process()
}

/// Whether a finding is what a planted defect looks like. Numbers in panics vary, and so do functions that are inlined:
/// the kind, the target and the file are what holds on every toolchain.
fn is(finding: &Value, defect: &Defect) -> bool {
    let text = |name: &str| finding[name].as_str().unwrap_or_default();
    let words = format!("{} {}", text("title"), text("place"));
    let is_there =
        words.contains(&defect.file) || defect.functions.iter().any(|function| words.contains(function));
    text("target") == defect.target && text("kind") == defect.kind && is_there
}

/// Fails unless the findings are the planted defects, each once.
fn assert_all_and_nothing_else(report: &Report) {
    let mut complaints = Vec::new();
    let mut n_found: BTreeMap<&str, usize> = BTreeMap::new();
    let defects = expected::defects();
    for finding in report.findings() {
        let fitting: Vec<&Defect> = defects.defect.iter().filter(|defect| is(finding, defect)).collect();
        // Two defects of one file and kind are told apart by their function; a finding stands for the first not yet found.
        match fitting.iter().find(|defect| !n_found.contains_key(defect.name.as_str())).or(fitting.first()) {
            Some(defect) => *n_found.entry(&defect.name).or_default() += 1,
            None => complaints.push(format!("not planted: {finding:#}")),
        }
    }
    for defect in &defects.defect {
        match n_found.get(defect.name.as_str()) {
            Some(1) => {}
            Some(n) => complaints.push(format!("{} is {n} findings", defect.name)),
            None => complaints.push(format!("{} is not found", defect.name)),
        }
    }
    for clean in &defects.clean {
        assert_eq!(report.target(&clean.target)["n_crashes"], 0, "in the clean target {}", clean.target);
    }
    assert!(complaints.is_empty(), "{}\n{:#}", complaints.join("\n"), report.0);
}

#[test]
fn every_planted_defect_is_found_once_and_then_known_and_back_when_it_was_closed() {
    let project = canary();
    let before = project.files();
    let report = fuzz(&project, &[], 120).exits(1).report();
    assert_all_and_nothing_else(&report);
    assert_eq!(report.sighted(), vec!["new"; report.findings().len()]);
    project.assert_unchanged_since(&before);

    let again = fuzz(&project, &[], 60).exits(0).report();
    assert_eq!(again.sighted(), vec!["known"; again.findings().len()]);
    // Known defects are replayed before anything is fuzzed, so none depends on luck.
    assert_eq!(again.signatures(), report.signatures(), "{:#}", again.0);

    let watch = report.findings().iter().find(|finding| finding["target"] == "watches").unwrap();
    let signature = watch["signature"].as_str().unwrap();
    project.shakedown(["findings", "close", signature]).run().exits(0);
    let back = fuzz(&project, &["watches"], 20).exits(1).report();
    let reopened = back.findings().iter().filter(|finding| finding["sighted"] == "reopened");
    assert_eq!(reopened.map(|finding| &finding["signature"]).collect::<Vec<_>>(), [signature]);
}

#[test]
fn killed_at_any_moment_no_recorded_finding_is_lost() {
    let project = canary();
    let targets = ["stores", "watches", "pool"];
    // Built once, and not killed; the moments below are to fall into replaying and fuzzing.
    fuzz(&project, &targets, 60);
    let stored = || -> BTreeSet<String> {
        let lines = project.shakedown(["findings", "list", "--json"]).run().exits(0).lines();
        lines.iter().map(|finding| finding["signature"].as_str().unwrap().to_owned()).collect()
    };
    let mut known = stored();
    assert!(!known.is_empty());
    for moment in 0..10_u32 {
        let words = ["fuzz"].iter().chain(&targets).copied().chain(["--for", "30s"]);
        let started = project.shakedown(words).start();
        let (said, _) = started.kill_after(Duration::from_millis(150 + 613 * u64::from(moment)));
        said.leaves_no_process();
        let now = stored();
        assert!(known.is_subset(&now), "{known:?} is not in {now:?}");
        known = now;
    }
    let report = fuzz(&project, &targets, 20).report();
    let seen: BTreeSet<String> = report.signatures().into_iter().collect();
    assert!(known.is_subset(&seen), "{known:?} is not in {:#}", report.0);
}
