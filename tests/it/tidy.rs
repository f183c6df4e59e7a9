//! The invariants of docs/architecture.md, read off manifests and sources. Each check names the places that break it.

use std::collections::BTreeSet;

use shakedown_tests::expected;
use shakedown_tests::sources::{Source, dependencies, files, folders_in, path};

/// A file whose code, without its unit tests, is longer is probably two.
const FILE_LINES_MAX: usize = 400;

/// Files that may be longer, and why.
const LONG_FILES: &[(&str, &str)] = &[
    (
        "harness/core/src/formats/scanner.rs",
        "one state machine over a log; its states are not understood apart",
    ),
    ("harness/exec/src/process.rs", "start, watch and collect share what is known of one running program"),
];

/// Runs in cargo's place of the compiler, inside a build that `exec::process` has started: it is no part of the harness.
const COMPILER_WRAPPER: &str = "harness/exec/src/driver/wrapper.rs";

/// The members of the workspace that are the product.
const CRATES: [&str; 6] = ["core", "driver", "exec", "store", "report", "cli"];

fn product() -> impl Iterator<Item = Source> {
    files(".rs").into_iter().filter(|source| source.is_in("harness"))
}

/// Sources of our own that cargo builds as part of the workspace.
fn workspace() -> impl Iterator<Item = Source> {
    let folders = ["harness", "tests", "bench", "fuzz"];
    files(".rs").into_iter().filter(move |source| folders.iter().any(|folder| source.is_in(folder)))
}

/// Sources of programs that are not the harness: the runtime in the targets, its fixture, and the compiler's wrapper.
fn runs_elsewhere(source: &Source) -> bool {
    source.is_in("harness/driver/fixture")
        || source.is_in("harness/driver/runtime")
        || source.path == COMPILER_WRAPPER
}

#[track_caller]
fn assert_none(complaint: &str, places: impl IntoIterator<Item = String>) {
    let places: Vec<String> = places.into_iter().collect();
    assert!(places.is_empty(), "{complaint}:\n  {}", places.join("\n  "));
}

fn uses(sources: impl Iterator<Item = Source>, words: &[&str]) -> Vec<String> {
    sources.flat_map(|source| source.uses_of(words)).collect()
}

#[test]
fn crates_depend_only_downwards() {
    let allowed = |name: &str| -> &[&str] {
        match name {
            "core" | "driver" => &[],
            "exec" => &["shakedown-core", "shakedown-driver"], // whose sources it embeds
            "store" | "report" => &["shakedown-core"],
            "cli" => &["shakedown-core", "shakedown-exec", "shakedown-store", "shakedown-report"],
            name => panic!("harness/{name} is new: say here what it may depend on"),
        }
    };
    let mut wrong = Vec::new();
    for name in folders_in("harness") {
        let manifest = format!("harness/{name}/Cargo.toml");
        for table in ["dependencies", "build-dependencies"] {
            let ours =
                dependencies(&manifest, table).into_iter().filter(|name| name.starts_with("shakedown"));
            let too_many = ours.filter(|dependency| !allowed(&name).contains(&dependency.as_str()));
            wrong.extend(too_many.map(|dependency| format!("{manifest}: {table}: {dependency}")));
        }
    }
    assert_none("a crate depends on one that it must not know", wrong);
    assert_eq!(BTreeSet::from(CRATES), folders_in("harness").iter().map(String::as_str).collect());
}

#[test]
fn the_core_is_pure() {
    let effects = [
        "std::fs",
        "std::net",
        "std::process::Command",
        "use std::process",
        "std::env",
        "std::io",
        "std::thread",
        "Instant::now",
        "SystemTime::now",
        "println!",
        "eprintln!",
        "print!(",
        "dbg!",
    ];
    let core = product().filter(|source| source.is_in("harness/core"));
    assert_none("core has effects", uses(core, &effects));
}

#[test]
fn programs_are_started_through_one_door() {
    let door = |source: &Source| {
        source.path == "harness/exec/src/process.rs" || source.path == "harness/exec/src/process/guard.rs"
    };
    let others = product().filter(|source| !door(source) && !runs_elsewhere(source));
    assert_none(
        "a program is started outside of exec::process",
        uses(others, &["Command::new(", "process::Command"]),
    );
}

#[test]
fn only_the_console_prints() {
    let others = product().filter(|source| {
        source.path != "harness/cli/src/console.rs"
            && !source.is_in("harness/cli/src/console")
            && !runs_elsewhere(source)
    });
    let printing = ["println!(", "print!(", "eprintln!(", "eprint!(", "io::stdout(", "io::stderr("];
    assert_none("words are printed outside of cli::console", uses(others, &printing));
}

#[test]
fn only_the_configuration_reads_variables() {
    let others =
        product().filter(|source| source.path != "harness/cli/src/config/env.rs" && !runs_elsewhere(source));
    // `args_os`, `current_exe` and `temp_dir` are no variables of ours.
    let reading = ["env::var(", "env::var_os(", "env::vars(", "env::vars_os(", "env::set_var("];
    assert_none("variables are read outside of cli::config", uses(others, &reading));
}

#[test]
fn only_the_store_speaks_sql() {
    let sql = ["rusqlite", "SELECT ", "INSERT INTO", "PRAGMA ", "CREATE TABLE"];
    let others = product().filter(|source| !source.is_in("harness/store"));
    assert_none("SQL is spoken outside of the store", uses(others, &sql));
    let manifests = CRATES
        .iter()
        .filter(|name| **name != "store")
        .filter(|name| {
            dependencies(&format!("harness/{name}/Cargo.toml"), "dependencies").contains(&"rusqlite".into())
        })
        .map(|name| format!("harness/{name}/Cargo.toml"));
    assert_none("another crate depends on SQLite", manifests);
}

#[test]
fn renderers_lay_out_a_view_and_see_no_world() {
    let renderers = product().filter(|source| source.is_in("harness/report/src/render"));
    let world = ["std::fs", "std::env", "std::net", "std::process", "Instant::now", "SystemTime::now"];
    assert_none("a renderer looks at the world", uses(renderers, &world));
}

#[test]
fn main_turns_an_outcome_into_an_exit_code_and_no_more() {
    let mains = product().filter(|source| source.is_in("harness/cli/src/bin"));
    let long = mains.filter(|source| source.text.lines().count() > 20).map(|source| source.path);
    assert_none("a main is longer than 20 lines", long);
}

#[test]
fn files_are_short_enough_to_hold_one_noun() {
    let is_excused = |source: &Source| LONG_FILES.iter().any(|(path, _)| *path == source.path);
    let long: Vec<Source> =
        workspace().filter(|source| source.n_lines_without_tests() > FILE_LINES_MAX).collect();
    let wrong = long.iter().filter(|source| !is_excused(source));
    let wrong = wrong.map(|source| format!("{}: {} lines", source.path, source.n_lines_without_tests()));
    assert_none("files are longer than 400 lines; part them, or excuse them in LONG_FILES", wrong);
    let stale = LONG_FILES.iter().filter(|(path, _)| long.iter().all(|source| source.path != *path));
    let stale = stale.map(|(path, why)| format!("{path} ({why})"));
    assert_none("LONG_FILES excuses files that need no excuse", stale);
}

#[test]
fn nothing_is_left_for_later_in_the_code() {
    // Written in halves, so that this file is not found.
    let words = [["to", "do!("], ["unimple", "mented!("], ["#[ign", "ore"]].map(|halves| halves.concat());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert_none("something is left for later, or is not tested", uses(workspace(), &words));
}

#[test]
fn every_silenced_lint_says_why() {
    let mut wrong = Vec::new();
    for source in workspace() {
        for (at, _) in source.text.match_indices("#[expect(").chain(source.text.match_indices("#![expect(")) {
            let rest = &source.text[at..];
            let attribute = &rest[..rest.find(")]").map_or(rest.len(), |end| end + 2)];
            if !attribute.contains("reason") && attribute.contains("clippy") {
                wrong.push(format!("{}: {attribute}", source.path));
            }
        }
    }
    assert_none("a lint is silenced without a reason", wrong);
}

#[test]
fn every_crate_inherits_the_lints() {
    let manifests = CRATES.map(|name| format!("harness/{name}/Cargo.toml"));
    let without = manifests.into_iter().chain(["tests/Cargo.toml".to_owned()]).filter(|manifest| {
        let text = std::fs::read_to_string(path(manifest)).unwrap();
        !text.contains("[lints]\nworkspace = true")
    });
    assert_none("a crate has lints of its own", without);
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let mut wrong = Vec::new();
    for document in files(".md") {
        let folder = path(&document.path).parent().unwrap().to_path_buf();
        for link in links(&document.text) {
            let file = link.split('#').next().unwrap_or_default();
            let is_elsewhere = link.contains("://") || link.starts_with("mailto:");
            if !is_elsewhere && !file.is_empty() && !folder.join(file).exists() {
                wrong.push(format!("{}: {link}", document.path));
            }
        }
    }
    assert_none("a link leads nowhere", wrong);
}

/// The destinations of `[text](destination)` outside of code.
fn links(text: &str) -> Vec<String> {
    let mut is_code = false;
    let prose = text.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    });
    prose
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')').map(|(link, _)| link.trim().to_owned()))
        .collect()
}

#[test]
fn every_layout_is_expected_and_every_expected_layout_is_there() {
    let expected: BTreeSet<String> = expected::layouts().into_iter().map(|layout| layout.dir).collect();
    assert_eq!(expected, folders_in("tests/layouts").into_iter().collect());
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    // Written in halves, so that this file is not found.
    let words = [["/work", "/"], ["../sha", "red/"]].map(|halves| halves.concat());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ours = [".rs", ".toml", ".ci/run", ".ci/install-peers"].iter().flat_map(|suffix| files(suffix));
    let wrong = ours.flat_map(|source| {
        let found =
            source.text.lines().enumerate().filter(|(_, line)| words.iter().any(|word| line.contains(word)));
        found
            .map(|(index, line)| format!("{}:{}: {}", source.path, index + 1, line.trim()))
            .collect::<Vec<_>>()
    });
    assert_none("a path of one machine", wrong);
}

#[test]
fn every_snapshot_belongs_to_a_test() {
    let tests: Vec<Source> = files(".rs").into_iter().filter(|source| source.is_in("tests/it")).collect();
    let stale = files(".snap").into_iter().filter_map(|snapshot| {
        let name = snapshot.path.strip_prefix("tests/snapshots/")?.strip_suffix(".snap")?.to_owned();
        let is_used = tests.iter().any(|test| test.text.contains(&format!("\"{name}\"")));
        (!is_used).then_some(snapshot.path)
    });
    assert_none("no test has this snapshot", stale);
}

#[test]
fn the_commands_of_the_readme_are_those_that_ci_runs() {
    let readme = std::fs::read_to_string(path("README.md")).unwrap();
    let ci = std::fs::read_to_string(path(".ci/run")).unwrap();
    let commands = readme.lines().filter(|line| line.starts_with("cargo run") || *line == "cargo test");
    // The budget may be another.
    let commands: Vec<&str> = commands.map(|line| line.split(" --for").next().unwrap()).collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    assert_none(
        "CI does not run",
        commands.into_iter().filter(|line| !ci.contains(*line)).map(str::to_owned),
    );
}
