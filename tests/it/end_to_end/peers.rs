//! Fuzzers of other languages, which speak libFuzzer's flags: `tests/peers`, installed by `.ci/install-peers`.

use std::fmt::Write;
use std::path::PathBuf;

use shakedown_tests::expected::{self, Peer};
use shakedown_tests::project::Project;
use shakedown_tests::{repository, variable};

/// Where the peers are: `SHAKEDOWN_PEERS`, else where `.ci/install-peers` puts them.
fn peers_folder() -> PathBuf {
    variable("SHAKEDOWN_PEERS").map_or_else(|| repository().join("target/peers"), PathBuf::from)
}

/// The peer, or `None` where it is not installed: on a developer's machine that is no failure, in CI it is one.
fn installed(name: &str) -> Option<Peer> {
    let peer = expected::peers().into_iter().find(|peer| peer.name == name).unwrap();
    let program =
        placed(peer.command.as_ref().map_or(peer.binary.as_ref(), |command| command.first()).unwrap());
    if PathBuf::from(&program).exists() {
        return Some(peer);
    }
    assert!(variable("CI").is_none(), "{program} is missing: run .ci/install-peers");
    say(&format!("skipped: {program} is missing; .ci/install-peers installs it"));
    None
}

#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
fn say(words: &str) {
    eprintln!("{words}");
}

fn placed(text: &str) -> String {
    let here = repository().join("tests/peers").display().to_string();
    text.replace("{peers}", &peers_folder().display().to_string()).replace("{here}", &here)
}

fn check(peer: &Peer) {
    let mut section = format!("[target.{}]\n", peer.name);
    if let Some(binary) = &peer.binary {
        writeln!(section, "binary = {:?}", placed(binary)).unwrap();
    }
    if let Some(command) = &peer.command {
        writeln!(section, "command = {:?}", command.iter().map(|word| placed(word)).collect::<Vec<_>>())
            .unwrap();
    }
    let project = Project::new().config(&section);
    let report =
        project.shakedown(["fuzz", "--for", "25s", "--json"]).run().exits(1).leaves_no_process().report();
    let [finding] = report.findings() else { panic!("not one finding: {:#}", report.0) };
    assert_eq!(finding["kind"], peer.kind.as_str(), "{finding:#}");
    let words = finding.to_string();
    assert!(words.contains(&peer.function) || words.contains(&peer.file), "{finding:#}");
    assert!(report.target(&peer.name)["executions"].as_u64() > Some(0), "{:#}", report.0);
    let again = project.shakedown(["fuzz", "--for", "15s", "--json"]).run().exits(0).report();
    assert_eq!(again.sighted(), ["known"], "{:#}", again.0);
    let signature = report.signatures().remove(0);
    project.shakedown(["repro", &signature]).run().exits(0).says("reproduces");
}

#[test]
fn a_python_target_runs_by_its_command() {
    installed("soundings").iter().for_each(check);
}

#[test]
fn a_cpp_target_runs_by_its_binary() {
    installed("manifest").iter().for_each(check);
}
