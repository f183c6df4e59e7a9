//! What cannot be done is said once, clearly, with a way out, and with the documented exit code.

use std::os::unix::fs::PermissionsExt;

use shakedown_tests::project::Project;

/// Checks the exit code and compares what is said with the snapshot `name`.
macro_rules! refused {
    ($said:expr, $code:expr, $name:literal) => {
        insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!($name, $said.run().exits($code).to_snapshot());
        });
    };
}

fn project() -> Project {
    Project::new()
}

/// A project with a fuzz crate that needs nothing from a registry, and whose one target is `source`.
fn fuzz_project(source: &str) -> Project {
    project()
        .file(
            "fuzz/Cargo.toml",
            "[package]\nname = \"hull-fuzz\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[package.metadata]\n\
             cargo-fuzz = true\n\n[[bin]]\nname = \"hull\"\npath = \"hull.rs\"\n\n[workspace]\n",
        )
        .file("fuzz/hull.rs", format!("// libfuzzer_sys\n{source}"))
}

#[test]
fn a_configuration_that_is_no_toml_is_shown_where_it_breaks() {
    let project = project().config("[fuzz]\njobs = = 2");
    refused!(project.shakedown(["run"]), 2, "config-syntax");
}

#[test]
fn a_value_of_the_wrong_type_is_shown_where_it_stands() {
    let project = project().config("[fuzz]\njobs = \"many\"");
    refused!(project.shakedown(["run"]), 2, "config-type");
}

#[test]
fn a_value_that_makes_no_sense_names_its_source() {
    let project = project().config("[budget]\ntotal = \"soon\"");
    refused!(project.shakedown(["run"]), 2, "config-value");
}

#[test]
fn a_variable_that_makes_no_sense_is_named() {
    refused!(project().shakedown(["run"]).env("SHAKEDOWN_JOBS", "none"), 2, "variable-value");
}

#[test]
fn a_target_has_one_program_and_not_two() {
    let project = project().config("[target.x]\nbinary = \"a\"\ncommand = [\"b\"]");
    refused!(project.shakedown(["run"]), 2, "two-programs");
}

#[test]
fn a_key_that_means_nothing_is_warned_of_with_the_nearest_one() {
    let project = project().config("[fuzz]\njob = 2").target("calm", "fuzzer-clean");
    let said = project.shakedown(["fuzz", "--for", "5s"]).run().exits(0);
    said.says("fuzz.job").says("fuzz.jobs");
}

#[test]
fn a_configuration_that_was_asked_for_must_be_there() {
    refused!(project().shakedown(["run", "--config", "missing.toml"]), 2, "config-missing");
}

#[test]
fn a_budget_too_short_for_anything_is_refused() {
    refused!(project().shakedown(["fuzz", "--for", "1s"]), 2, "budget-too-short");
}

#[test]
fn a_budget_that_is_no_time_is_refused() {
    refused!(project().shakedown(["fuzz", "--for", "soon"]), 2, "budget-no-time");
}

#[test]
fn no_jobs_at_all_are_refused() {
    refused!(project().shakedown(["fuzz", "--jobs", "0"]), 2, "jobs-none");
}

#[test]
fn an_unknown_sanitizer_is_refused() {
    refused!(project().shakedown(["fuzz", "--sanitizer", "memory"]), 2, "sanitizer-unknown");
}

#[test]
fn an_unknown_outcome_to_fail_on_is_refused() {
    refused!(project().shakedown(["fuzz", "--fail-on", "everything"]), 2, "fail-on-unknown");
}

#[test]
fn an_unknown_command_shows_the_nearest_one() {
    refused!(project().shakedown(["fuz"]), 2, "command-unknown");
}

#[test]
fn an_unknown_target_shows_the_nearest_one() {
    let project = project().target("harbour", "fuzzer-clean");
    refused!(project.shakedown(["fuzz", "harbor"]), 2, "target-unknown-near");
}

#[test]
fn an_unknown_target_far_from_all_names_says_where_they_are_listed() {
    let project = project().target("harbour", "fuzzer-clean");
    refused!(project.shakedown(["fuzz", "zzz"]), 2, "target-unknown-far");
}

#[test]
fn a_project_without_targets_is_undecided_and_not_a_pass() {
    let said = project().shakedown(["run", "--for", "5s"]).run().exits(4);
    said.says("no target was found");
}

#[test]
fn a_folder_that_is_not_there_is_refused() {
    refused!(project().shakedown(["run", "-C", "nowhere"]), 2, "folder-missing");
}

#[test]
fn a_toolchain_that_is_not_installed_comes_with_the_command_that_installs_it() {
    let project = fuzz_project("fn main() {}");
    let said = project.shakedown(["run", "--toolchain", "nightly-2019-02-30"]).run().exits(2);
    said.says("toolchain `nightly-2019-02-30` is not installed")
        .says("hint: `rustup toolchain install nightly-2019-02-30`");
}

#[test]
fn a_machine_without_cargo_cannot_build_and_says_where_to_get_one() {
    let project = fuzz_project("fn main() {}");
    refused!(project.shakedown(["run"]).env("PATH", project.beside("empty")), 3, "cargo-missing");
}

#[test]
fn a_machine_without_cargo_runs_what_somebody_else_has_built() {
    let project = project().target("calm", "fuzzer-clean");
    project.shakedown(["fuzz", "--for", "5s"]).env("PATH", project.beside("empty")).run().exits(0);
}

#[test]
fn doctor_tells_of_a_machine_without_cargo() {
    let project = project();
    let said = project.shakedown(["doctor"]).env("PATH", project.beside("empty")).run().exits(3);
    said.says("MISSING Rust").says("https://rustup.rs").says("MISSING C++ compiler");
}

#[test]
fn a_target_that_does_not_compile_is_reported_with_the_compilers_error() {
    let project = fuzz_project("fn main() { depth_below_water(); }");
    let said = project.shakedown(["fuzz", "--for", "60s"]).run().exits(3);
    said.says("BROKEN: hull does not build").says("cannot find function `depth_below_water`");
}

#[test]
fn a_store_of_a_newer_version_is_left_alone() {
    let project = project().target("calm", "fuzzer-clean");
    project.shakedown(["findings", "list"]).run().exits(0);
    let store = project.path(".shakedown/store.db");
    let mut bytes = std::fs::read(&store).unwrap();
    // The database header's `user version`, big-endian (https://www.sqlite.org/fileformat.html).
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    std::fs::write(&store, &bytes).unwrap();
    refused!(project.shakedown(["fuzz", "--for", "5s"]), 3, "store-newer");
    assert_eq!(std::fs::read(&store).unwrap(), bytes, "the newer store was changed");
}

#[test]
fn a_damaged_store_says_how_to_go_on() {
    let project = project().file(".shakedown/store.db", "this is no database, not even nearly one");
    refused!(project.shakedown(["findings", "list"]), 3, "store-damaged");
}

#[test]
fn state_that_cannot_be_written_is_named() {
    let project = project().file("a-file", "").target("calm", "fuzzer-clean");
    refused!(project.shakedown(["fuzz", "--state", "a-file/state"]), 3, "state-unwritable");
}

#[test]
fn an_unknown_finding_says_where_they_are_listed() {
    refused!(project().shakedown(["repro", "0123"]), 2, "finding-unknown");
}

#[test]
fn an_ambiguous_finding_shows_the_candidates() {
    let project = project().target("leaky", "fuzzer-with-defects");
    (0..3).for_each(|number| project.write(&format!("fixed-{number}"), ""));
    project.shakedown(["fuzz", "--for", "6s"]).run().exits(1);
    refused!(project.shakedown(["findings", "show", ""]), 2, "finding-ambiguous");
}

#[test]
fn an_unknown_state_of_a_finding_shows_the_known_ones() {
    refused!(project().shakedown(["findings", "list", "--only", "solved"]), 2, "state-unknown");
}

#[test]
fn a_report_of_no_run_says_how_to_make_one() {
    refused!(project().shakedown(["report"]), 2, "run-none");
}

#[test]
fn init_replaces_nothing_unasked() {
    let project = project();
    refused!(project.shakedown(["init"]), 2, "init-again");
    project.shakedown(["init", "--force"]).run().exits(0);
}

#[test]
fn a_finding_whose_target_is_gone_cannot_be_run_again() {
    let project = project().target("leaky", "fuzzer-with-defects");
    project.shakedown(["fuzz", "--for", "6s"]).run().exits(1);
    let finding = project.shakedown(["findings", "list", "--json"]).run().exits(0).report().0;
    let signature = finding["signature"].as_str().unwrap();
    project.write("shakedown.toml", "");
    refused!(project.shakedown(["repro", signature]), 3, "target-gone");
}

/// One run over everything that is no fuzzer: each is told of, and the one that is a fuzzer runs all the same.
#[test]
fn a_binary_that_is_no_fuzzer_is_told_of_and_hides_nobody() {
    let project = project().target("calm", "fuzzer-clean").target("other", "exits");
    let project = project
        .config("[target.missing]\nbinary = \"not/there\"")
        .config("[target.text]\nbinary = \"text\"")
        .config("[target.nothing]\ncommand = [\"no-such-program\"]")
        .file("text", "#!/bin/false\n");
    std::fs::set_permissions(project.path("text"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let said = project.shakedown(["fuzz", "--for", "6s", "--json"]).run().exits(3);
    let report = said.report();
    assert_eq!(report.target("calm")["state"], "measured", "{:#}", report.0);
    for (name, words) in [
        ("other", "is no libFuzzer target"),
        ("missing", "No such file"),
        ("text", "is not an executable file"),
        ("nothing", "no-such-program"),
    ] {
        let target = report.target(name);
        assert_eq!(target["state"], "broken", "{target:#}");
        assert!(target["why"].as_str().unwrap().contains(words), "{target:#}");
    }
}
