//! What every command promises: data on standard output, talk on standard error, JSON on request, documented exit codes.

use serde_json::Value;
use shakedown_tests::project::Project;

fn calm() -> Project {
    Project::new().target("calm", "fuzzer-clean")
}

fn leaky() -> Project {
    Project::new().target("leaky", "fuzzer-with-defects")
}

#[test]
fn init_writes_a_file_whose_comments_teach_and_which_changes_nothing() {
    let project = Project::of_layout("several-crates");
    let before = project.shakedown(["doctor", "--json"]).run().exits(0).report().0;
    project.shakedown(["init"]).run().exits(0).says("3 fuzz targets").says("next: shakedown run");
    let text = std::fs::read_to_string(project.path("shakedown.toml")).unwrap();
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("init-file", text);
    });
    let after = project.shakedown(["doctor", "--json"]).run().exits(0).report().0;
    for key in ["fuzz_crates", "benches", "notices"] {
        assert_eq!(after[key], before[key]);
    }
    let values = |said: &Value| -> Vec<Value> {
        said["settings"].as_array().unwrap().iter().map(|setting| setting["value"].clone()).collect()
    };
    assert_eq!(values(&after), values(&before));
}

#[test]
fn every_setting_says_where_it_came_from() {
    let project = Project::new().config("[budget]\ntotal = \"7m\"\n[fuzz]\njobs = 3");
    let said = project.shakedown(["doctor", "--json"]).env("SHAKEDOWN_JOBS", "4").run().exits(0).report().0;
    let source = |name: &str| {
        let settings = said["settings"].as_array().unwrap();
        let setting = settings.iter().find(|setting| setting["name"] == name).unwrap();
        format!("{} from {}", setting["value"].as_str().unwrap(), setting["source"].as_str().unwrap())
    };
    assert_eq!(source("budget"), "7m from shakedown.toml");
    assert_eq!(source("jobs"), "4 from $SHAKEDOWN_JOBS");
    assert_eq!(source("sanitizer"), "auto from default");
}

#[test]
fn a_run_speaks_json_lines_and_ends_with_its_report() {
    let said = leaky().shakedown(["run", "--for", "6s", "--json"]).run().exits(1);
    assert_eq!(said.stderr, "", "talk beside JSON");
    let lines = said.lines();
    let events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!((events.first(), events.last()), (Some(&"run-started"), Some(&"report")));
    assert!(events.contains(&"target-progress") && events.contains(&"finding-seen"), "{events:?}");
    assert!(lines.iter().all(Value::is_object));
}

#[test]
fn data_goes_to_standard_output_and_talk_to_standard_error() {
    let said = leaky().shakedown(["run", "--for", "6s"]).run().exits(1);
    assert!(said.stdout.starts_with("FAIL: "), "{said}");
    assert!(!said.stdout.contains(", at most ") && said.stderr.contains(", at most "), "{said}");
    // No terminal, no colours.
    said.never_says("\u{1b}");
}

#[test]
fn a_quiet_run_says_only_what_it_came_to() {
    let said = calm().shakedown(["run", "--for", "5s", "--quiet"]).run().exits(0);
    assert_eq!(said.stderr, "");
    assert!(said.stdout.starts_with("PASS: "), "{said}");
}

#[test]
fn colours_are_there_for_those_who_ask() {
    calm()
        .shakedown(["run", "--for", "5s", "--color", "always"])
        .run()
        .exits(0)
        .says("\u{1b}[1;32mPASS\u{1b}[0m");
}

#[test]
fn a_pipeline_that_knows_only_red_and_green_chooses_what_is_red() {
    let nothing = Project::new();
    nothing.shakedown(["run", "--for", "5s"]).run().exits(4);
    nothing.shakedown(["run", "--for", "5s", "--fail-on", "fail,broken"]).run().exits(0);
    nothing.shakedown(["run", "--for", "5s", "--fail-on", "fail,undecided"]).run().exits(1);
    nothing.shakedown(["run", "--for", "5s"]).env("SHAKEDOWN_FAIL_ON", "undecided").run().exits(1);
}

#[test]
fn a_project_is_found_from_any_folder_in_it() {
    let project = calm().file("deep/down/file", "");
    let said = project.shakedown(["doctor", "--json", "-C", "deep/down"]).run().exits(0).report().0;
    assert_eq!(said["root"], project.root().display().to_string().as_str());
}

#[test]
fn state_can_lie_elsewhere_and_nothing_is_written_into_the_project() {
    let project = leaky();
    let state = project.beside("state").display().to_string();
    let before = project.files();
    project.shakedown(["fuzz", "--for", "6s", "--state", &state]).run().exits(1);
    assert!(!project.path(".shakedown").exists());
    project.assert_unchanged_since(&before);
    let listed = project.shakedown(["findings", "list", "--state", &state, "--json"]).run().exits(0);
    assert!(!listed.lines().is_empty());
}

#[test]
fn findings_are_listed_by_their_state() {
    let project = leaky();
    let signature =
        project.shakedown(["fuzz", "--for", "7s", "--json"]).run().exits(1).report().signatures().remove(0);
    project.shakedown(["findings", "close", &signature]).run().exits(0).says("is now fixed");
    let fixed = project.shakedown(["findings", "list", "--only", "fixed", "--json"]).run().exits(0).lines();
    assert_eq!(fixed.len(), 1, "{fixed:?}");
    assert_eq!(fixed[0]["signature"], signature.as_str());
    project.shakedown(["findings", "reopen", &signature]).run().exits(0);
    let fixed = project.shakedown(["findings", "list", "--only", "fixed"]).run().exits(0);
    fixed.says("no findings");
}

#[test]
fn what_is_known_is_told_to_programs_too() {
    let project = leaky();
    let signature =
        project.shakedown(["fuzz", "--for", "7s", "--json"]).run().exits(1).report().signatures().remove(0);
    let runs = project.shakedown(["report", "--list", "--json"]).run().exits(0).lines();
    assert_eq!((runs.len(), &runs[0]["has_ended"]), (1, &Value::Bool(true)));
    let stored = project.shakedown(["report", "--json"]).run().exits(0).report();
    assert_eq!(stored.0["run"], runs[0]["run"]);
    let shown = project.shakedown(["findings", "show", &signature, "--json"]).run().exits(0).report().0;
    assert_eq!(shown["signature"], signature.as_str());
    let again = project.shakedown(["repro", &signature, "--json"]).run().exits(0).report().0;
    assert_eq!((&again["outcome"], &again["target"]), (&"reproduces".into(), &"leaky".into()));
}

#[test]
fn help_and_version_are_data() {
    let project = Project::new();
    let help = project.shakedown(["--help"]).run().exits(0);
    assert!(
        help.stderr.is_empty() && help.stdout.contains("Exit codes: 0 pass, 1 the gate failed"),
        "{help}"
    );
    assert!(project.shakedown(["--version"]).run().exits(0).stdout.starts_with("shakedown "));
}
