//! Campaigns on fuzzers that misbehave, and campaigns that are disturbed. The fuzzers are fakes, so minutes become seconds.

use std::collections::BTreeSet;
use std::time::Duration;

use shakedown_tests::processes::GRANDCHILD;
use shakedown_tests::project::Project;
use shakedown_tests::said::{Report, Said};

/// What a run may take beyond its budget: the test machine has two cores, and tests on both.
const SLACK: Duration = Duration::from_secs(4);

fn fuzz(project: &Project, seconds: u64) -> Said {
    let said = project.shakedown(["fuzz", "--for", &format!("{seconds}s"), "--json"]).run();
    said.took_at_most(Duration::from_secs(seconds) + SLACK).leaves_no_process()
}

/// What the store knows, one finding a line.
fn stored(project: &Project) -> BTreeSet<String> {
    let lines = project.shakedown(["findings", "list", "--json"]).run().exits(0).lines();
    lines.iter().map(|finding| finding["signature"].as_str().unwrap().to_owned()).collect()
}

fn signatures(report: &Report) -> BTreeSet<String> {
    report.signatures().into_iter().collect()
}

#[test]
fn a_clean_fuzzer_passes() {
    let project = Project::new().target("calm", "fuzzer-clean");
    let report = fuzz(&project, 6).exits(0).report();
    assert_eq!(report.outcome(), "pass");
    assert!(report.target("calm")["executions"].as_u64().unwrap() > 100, "{:#}", report.0);
}

#[test]
fn a_command_is_a_target_like_a_binary() {
    let fuzzer = shakedown_tests::fake("fuzzer-with-defects").display().to_string();
    let project = Project::new().config(&format!("[target.leaky]\ncommand = [\"env\", \"A=b\", {fuzzer:?}]"));
    assert_eq!(fuzz(&project, 8).exits(1).report().sighted(), ["new"; 5]);
}

#[test]
fn every_defect_is_found_once_and_then_known() {
    let project = Project::new().target("leaky", "fuzzer-with-defects");
    let report = fuzz(&project, 8).exits(1).report();
    assert_eq!(report.sighted(), ["new"; 5], "{:#}", report.0);
    let again = fuzz(&project, 8).exits(0).report();
    assert_eq!(again.sighted(), ["known"; 5], "{:#}", again.0);
    assert_eq!(again.signatures(), report.signatures());
    assert_eq!(stored(&project), signatures(&report));
}

#[test]
fn two_targets_that_meet_one_defect_make_one_finding() {
    let project = Project::new().target("one", "fuzzer-with-defects").target("two", "fuzzer-with-defects");
    let report = fuzz(&project, 10).exits(1).report();
    assert_eq!(report.sighted(), ["new"; 5], "{:#}", report.0);
    let finding = project.shakedown(["findings", "list", "--json"]).run().exits(0).report().0;
    assert_eq!(finding["targets"].as_array().unwrap().len(), 2, "{finding:#}");
}

#[test]
fn what_was_fixed_and_closed_fails_the_gate_when_it_is_back() {
    let project = Project::new().target("leaky", "fuzzer-with-defects");
    for number in 0..4 {
        project.write(&format!("fixed-{number}"), "");
    }
    let report = fuzz(&project, 5).exits(1).report();
    let [signature] = report.signatures().try_into().unwrap();
    project.write("fixed-4", "");
    project.shakedown(["findings", "close", &signature, "--reason", "fixed in abc123"]).run().exits(0);
    let fixed = fuzz(&project, 5).exits(0).report();
    assert_eq!(fixed.sighted(), Vec::<&str>::new(), "{:#}", fixed.0);
    std::fs::remove_file(project.path("fixed-4")).unwrap();
    let back = fuzz(&project, 5).exits(1).report();
    assert_eq!((back.sighted(), back.signatures()), (vec!["reopened"], vec![signature.clone()]));
    project.shakedown(["report"]).run().exits(0).says("BACK").says("FAIL");
    // It was told once; from now on it is known, until somebody closes it again.
    assert_eq!(fuzz(&project, 5).exits(0).report().sighted(), ["known"]);
    project
        .shakedown(["findings", "show", &signature])
        .run()
        .exits(0)
        .says("fixed in abc123")
        .says("reopened");
}

#[test]
fn what_is_ignored_fails_no_gate() {
    let project = Project::new().target("leaky", "fuzzer-with-defects");
    for signature in fuzz(&project, 8).exits(1).report().signatures() {
        project.shakedown(["findings", "ignore", &signature, "--reason", "as designed"]).run().exits(0);
    }
    assert_eq!(fuzz(&project, 5).exits(0).report().sighted(), ["ignored"; 5]);
}

#[test]
fn a_report_can_be_made_again_from_the_stored_run() {
    let project = Project::new().target("leaky", "fuzzer-with-defects");
    let said = project.shakedown(["fuzz", "--for", "6s"]).run().exits(1);
    let again = project.shakedown(["report"]).run().exits(0);
    assert_eq!(again.stdout, said.stdout);
}

#[test]
fn a_finding_can_be_shown_again() {
    let project = Project::new().target("leaky", "fuzzer-with-defects");
    let signature = fuzz(&project, 6).exits(1).report().signatures().remove(0);
    let id: String = signature.rsplit(':').next().unwrap().chars().take(8).collect();
    project.shakedown(["repro", &id]).run().exits(0).says("reproduces").says("by hand:");
    for number in 0..5 {
        project.write(&format!("fixed-{number}"), "");
    }
    project.shakedown(["repro", &id]).run().exits(0).says("gone:");
}

#[test]
fn a_fuzzer_that_hangs_and_hears_no_signal_does_not_eat_more_than_the_budget() {
    let project = Project::new().target("stuck", "fuzzer-hangs").target("calm", "fuzzer-clean");
    let report = fuzz(&project, 20).report();
    assert!(report.target("calm")["executions"].as_u64().unwrap() > 100, "{:#}", report.0);
}

#[test]
fn a_fuzzer_that_floods_and_hears_no_signal_does_not_eat_more_than_the_budget() {
    let project = Project::new().target("loud", "fuzzer-floods").target("calm", "fuzzer-clean");
    let report = fuzz(&project, 20).report();
    assert!(report.target("calm")["executions"].as_u64().unwrap() > 100, "{:#}", report.0);
}

#[test]
fn a_fuzzer_that_lies_is_not_believed() {
    let project = Project::new().target("liar", "fuzzer-lies");
    let report = fuzz(&project, 6).exits(0).report();
    assert_eq!(report.findings().len(), 0, "{:#}", report.0);
    let page = project.shakedown(["report"]).run().exits(0);
    page.never_says("\u{1b}").never_says("owned");
}

#[test]
fn a_fuzzer_that_leaves_daemons_leaves_none() {
    let project = Project::new().target("daemons", "fuzzer-forks");
    let started = project.shakedown(["fuzz", "--for", "6s"]).start();
    started.marked().wait_for(GRANDCHILD);
    started.finish().exits(0).leaves_no_process();
}

#[test]
fn a_fuzzer_that_dies_at_its_start_is_broken_and_says_its_last_words() {
    let project = Project::new().target("unlicensed", "fuzzer-dies-at-start").target("calm", "fuzzer-clean");
    let report = fuzz(&project, 6).exits(3).report();
    let target = report.target("unlicensed");
    assert_eq!(target["state"], "broken", "{target:#}");
    assert!(target["why"].as_str().unwrap().contains("licence.key"), "{target:#}");
    assert_eq!(report.target("calm")["state"], "measured");
}

#[test]
fn a_fuzzer_that_exits_as_after_a_crash_without_a_word_is_one_finding_without_an_input() {
    let project = Project::new().target("silent", "fuzzer-exits-77");
    let report = fuzz(&project, 6).exits(1).report();
    assert_eq!(report.sighted(), ["new"], "{:#}", report.0);
    assert!(report.findings()[0]["input"].is_null(), "{:#}", report.0);
    let signature = report.signatures().remove(0);
    project.shakedown(["repro", &signature]).run().exits(3).says("has no input").says("findings show");
}

#[test]
fn control_c_once_ends_cleanly_with_a_report() {
    let project = Project::new().target("calm", "fuzzer-clean");
    let mut started = project.shakedown(["fuzz", "--for", "100s"]).start();
    started.wait_for("execs");
    started.interrupt();
    let said = started.finish().exits(4).leaves_no_process();
    said.says("UNDECIDED: it was interrupted").took_at_most(Duration::from_secs(15));
    project.shakedown(["report"]).run().exits(0).says("UNDECIDED");
}

#[test]
fn control_c_after_a_finding_still_fails_the_gate() {
    let project = Project::new().target("leaky", "fuzzer-with-defects");
    let mut started = project.shakedown(["fuzz", "--for", "100s"]).start();
    started.wait_for("NEW");
    started.interrupt();
    started.finish().exits(1).leaves_no_process().says("FAIL").says("also: it was interrupted");
}

#[test]
fn control_c_twice_stops_also_what_hears_no_signal() {
    let project = Project::new().target("stuck", "fuzzer-hangs");
    let mut started = project.shakedown(["fuzz", "--for", "100s"]).start();
    started.marked().wait_for("fuzzer-hangs");
    started.interrupt();
    started.wait_for("Ctrl-C again");
    started.interrupt();
    started.finish().leaves_no_process().took_at_most(Duration::from_secs(15));
}

#[test]
fn two_runs_at_once_share_a_store_and_tell_the_news_once() {
    let project = Project::new().target("leaky", "fuzzer-with-defects");
    let one = project.shakedown(["fuzz", "--for", "9s", "--json"]).start();
    let two = project.shakedown(["fuzz", "--for", "9s", "--json"]).start();
    let (one, two) = (one.finish().leaves_no_process().report(), two.finish().leaves_no_process().report());
    assert_eq!((signatures(&one), signatures(&two)), (stored(&project), stored(&project)));
    let n_new = one.sighted().iter().chain(&two.sighted()).filter(|sighted| **sighted == "new").count();
    assert_eq!(n_new, 5, "{:#}\n{:#}", one.0, two.0);
    let runs = project.shakedown(["report", "--list"]).run().exits(0).never_says("did not end");
    assert_eq!(runs.stdout.lines().count(), 2);
}

/// Ten campaigns are killed, each at another moment; the moments spread over starting, finding and reporting.
#[test]
fn killed_at_any_moment_nothing_recorded_is_lost_and_nobody_is_left() {
    let project = Project::new().target("leaky", "fuzzer-with-defects").target("daemons", "fuzzer-forks");
    let mut known = BTreeSet::new();
    for moment in 0..10_u32 {
        // Not a multiple of anything in the product, so that the moments fall anywhere.
        let delay = Duration::from_millis(37 + 613 * u64::from(moment));
        let started = project.shakedown(["fuzz", "--for", "6s", "--json"]).start();
        let (said, _) = started.kill_after(delay);
        let said = said.leaves_no_process();
        // What was told is recorded first, so it must be there; a line that was cut off was not told.
        let told =
            said.stdout.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let told = told.filter(|event| event["event"] == "finding-seen");
        known.extend(told.map(|event| event["signature"].as_str().unwrap().to_owned()));
        let stored = stored(&project);
        assert!(known.is_subset(&stored), "after {delay:?}: {known:?} is not in {stored:?}");
        known = stored;
    }
    assert!(!known.is_empty(), "the moments were all too early");
    let report = fuzz(&project, 8).report();
    assert!(known.is_subset(&signatures(&report)), "{:#}", report.0);
    assert_eq!(stored(&project).len(), 5);
    let leftovers = std::fs::read_dir(project.path(".shakedown/tmp")).unwrap().count();
    assert_eq!(leftovers, 0, "what the killed runs left in .shakedown/tmp was not swept");
}
