//! Projects of strangers: each layout is built and fuzzed, and no file of it is touched.
//!
//! Crates come from the registry's cache, or are fetched by cargo as in any build.

use std::collections::BTreeSet;
use std::time::Duration;

use shakedown_tests::expected::{self, Layout};
use shakedown_tests::project::Project;
use shakedown_tests::said::Report;

fn layout(dir: &str) -> Layout {
    expected::layouts().into_iter().find(|layout| layout.dir == dir).unwrap()
}

/// Runs the stage until every target has been executed, and then ends it as a person would: a budget would be sat out.
fn run_until_all_have_run(project: &Project, layout: &Layout) -> Report {
    let expected: usize =
        layout.fuzz_crate.iter().flat_map(|krate| &krate.target).filter(|target| target.builds).count();
    // Cargo retries for ten seconds before it says that a dependency cannot be reached.
    let command = project.shakedown(["run", "--for", "300s", "--json"]).env("CARGO_NET_RETRY", "0");
    let mut started = command.within(Duration::from_secs(320)).start();
    let mut executed = BTreeSet::new();
    while executed.len() < expected {
        let line = started.wait_for("\"target-progress\"");
        let event: serde_json::Value = serde_json::from_str(&line).unwrap();
        if event["executions"].as_u64() > Some(0) {
            executed.insert(event["target"].to_string());
        }
    }
    started.interrupt();
    started.finish().leaves_no_process().report()
}

fn check(dir: &str) -> Report {
    let layout = layout(dir);
    let project = Project::of_layout(dir);
    let before = project.files();
    let report = run_until_all_have_run(&project, &layout);
    project.assert_unchanged_since(&before);
    for target in layout.fuzz_crate.iter().flat_map(|krate| &krate.target) {
        let targets = report.0["targets"].as_array().unwrap().iter();
        let mut found = targets.filter(|found| found["name"].as_str().unwrap().ends_with(&target.name));
        let state =
            found.next().unwrap_or_else(|| panic!("no {} in {:#}", target.name, report.0))["state"].clone();
        assert_eq!(state, if target.builds { "measured" } else { "unbuilt" }, "{:#}", report.0);
    }
    for say in &layout.say {
        let words = say.names.as_deref().unwrap_or(&say.about);
        let is_said = report.0.to_string().contains(&words.replace('"', "\\\""));
        assert!(
            is_said || say.kind == expected::SayKind::FeaturesNeeded,
            "`{words}` is not said: {:#}",
            report.0
        );
    }
    report
}

#[test]
fn a_crate_without_a_lock_file_gets_none() {
    check("own-workspace-unlocked");
}

#[test]
fn a_crate_whose_lock_file_is_committed_keeps_it() {
    check("own-workspace-locked");
}

#[test]
fn a_workspace_with_link_time_optimisation_links_all_the_same() {
    check("workspace-member-with-lto");
}

#[test]
fn targets_that_need_features_get_them() {
    check("targets-in-src");
}

#[test]
fn one_name_in_two_crates_is_two_targets() {
    check("several-crates");
}

#[test]
fn a_target_that_does_not_compile_takes_nobody_with_it() {
    let report = check("one-broken-target");
    assert_eq!(report.outcome(), "broken");
}

#[test]
fn a_dependency_that_cannot_be_reached_takes_no_other_crate_with_it() {
    let report = check("unreachable-dependency");
    assert_eq!(report.outcome(), "broken");
}

#[test]
fn a_toolchain_that_is_pinned_and_missing_is_told_of_and_another_is_used() {
    check("pinned-toolchain");
}

#[test]
fn paths_may_have_spaces() {
    check("a path with a space");
}

#[test]
fn c_code_is_built_along() {
    check("c-dependency");
}

#[test]
fn an_old_libfuzzer_sys_runs_too() {
    check("libfuzzer-sys-0.3");
}

#[test]
fn a_main_for_replay_is_not_in_the_way() {
    check("replay-main");
}

#[test]
fn committed_artifacts_are_replayed_first_and_one_still_crashes() {
    let report = check("seeds-and-artifacts");
    assert_eq!(report.outcome(), "fail");
    // Two artifacts and one regression.
    assert_eq!(report.target("read")["n_replayed"], 3, "{:#}", report.0);
    assert!(report.target("read")["corpus_inputs"].as_u64() >= Some(5), "{:#}", report.0);
}
