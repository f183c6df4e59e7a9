//! Runs of `shakedown fuzz` on fakes that act one scene each.

use std::time::Duration;

use shakedown_tests::project::Project;

#[test]
fn a_clean_fuzzer_passes() {
    let project = Project::new().target("calm", "fuzzer-clean");
    let said = project.shakedown(["fuzz", "--for", "6s", "--json"]).run().exits(0).leaves_no_process();
    let report = said.took_at_most(Duration::from_secs(9)).report();
    assert_eq!(report.outcome(), "pass");
    assert!(report.target("calm")["executions"].as_u64().unwrap() > 100, "{:#}", report.0);
}

#[test]
fn every_defect_is_found_once_and_then_known() {
    let project = Project::new().target("leaky", "fuzzer-with-defects");
    let report = project.shakedown(["fuzz", "--for", "8s", "--json"]).run().exits(1).report();
    assert_eq!(report.sighted(), ["new"; 5], "{:#}", report.0);
    let again = project.shakedown(["fuzz", "--for", "8s", "--json"]).run().exits(0).report();
    assert_eq!(again.sighted(), ["known"; 5], "{:#}", again.0);
    assert_eq!(again.signatures(), report.signatures());
}
