//! What is discovered in each project of `tests/layouts`, and what is said about it, held against `expected.toml`.
//!
//! Nothing is built here; that the layouts build and run is for the end-to-end tests.

use serde_json::Value;
use shakedown_tests::expected::{self, FuzzCrate, Layout, SayKind, Target};
use shakedown_tests::project::Project;

fn doctor(project: &Project) -> Value {
    project.shakedown(["doctor", "--json"]).run().exits(0).report().0
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn every_layout_is_discovered_as_expected_and_left_alone() {
    let mut complaints = Vec::new();
    for layout in expected::layouts() {
        let project = Project::of_layout(&layout.dir);
        let before = project.files();
        let said = doctor(&project);
        project.assert_unchanged_since(&before);
        let different = differences(&layout, &said);
        complaints.extend(different.into_iter().map(|words| format!("{}: {words}", layout.dir)));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

fn differences(layout: &Layout, said: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut check = |what: &str, found: Vec<String>, expected: Vec<String>| {
        if found != expected {
            wrong.push(format!("{what}: {found:?}, not {expected:?}"));
        }
    };
    let crates = said["fuzz_crates"].as_array().unwrap();
    check(
        "fuzz crates",
        sorted(crates.iter().map(shown_crate)),
        sorted(layout.fuzz_crate.iter().map(expected_crate)),
    );
    for expected in &layout.fuzz_crate {
        let Some(found) = crates.iter().find(|krate| krate["package"] == expected.package.as_str()) else {
            continue;
        };
        let targets = found["targets"].as_array().unwrap();
        check(
            &expected.package,
            sorted(targets.iter().map(shown_target)),
            sorted(expected.target.iter().map(expected_target)),
        );
    }
    let benches = said["benches"].as_array().unwrap().iter();
    let benches = benches.map(|bench| format!("{} {}", bench["name"], bench["is_criterion"]));
    // Whether a package has criterion is known, and not which of its benches use it: the name is what is checked.
    let names = benches.map(|bench| bench.split(' ').next().unwrap().trim_matches('"').to_owned());
    check("benches", sorted(names), sorted(layout.bench.iter().map(|bench| bench.name.clone())));
    let notices = texts(&said["notices"]).join("\n");
    for say in &layout.say {
        let is_said = match say.kind {
            SayKind::MissingToolchain | SayKind::NoLibfuzzerTarget => {
                notices.contains(&say.about) && say.names.as_ref().is_none_or(|name| notices.contains(name))
            }
            // Said by a build, or not needed since the features are turned on.
            SayKind::BuildFailed | SayKind::DependencyUnreachable | SayKind::FeaturesNeeded => true,
        };
        if !is_said {
            wrong.push(format!("nothing is said about {}: {notices}", say.about));
        }
    }
    wrong
}

fn sorted(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut words: Vec<String> = words.collect();
    words.sort();
    words
}

fn shown_crate(krate: &Value) -> String {
    let text = |name: &str| krate[name].as_str().unwrap().to_owned();
    format!("{} {} {}", text("package"), text("manifest"), text("lockfile"))
}

fn expected_crate(krate: &FuzzCrate) -> String {
    let workspace = krate.workspace.strip_prefix(".").unwrap_or(&krate.workspace);
    format!("{} {} {}", krate.package, krate.manifest.display(), workspace.join("Cargo.lock").display())
}

/// Everything that is known of a target before it is built.
fn shown_target(target: &Value) -> String {
    format!(
        "{} {} features {:?} seeds {:?} dictionary {:?} options {:?} replayed {:?}",
        target["bin"].as_str().unwrap(),
        target["source"].as_str().unwrap(),
        texts(&target["required_features"]),
        sorted(texts(&target["seeds"]).into_iter().map(str::to_owned)),
        target["dictionary"].as_str().unwrap_or_default(),
        // The file has other options too; they are handed on as they are.
        texts(&target["options"]).iter().filter(|option| option.starts_with("max_len=")).collect::<Vec<_>>(),
        sorted(texts(&target["replayed_first"]).into_iter().map(str::to_owned)),
    )
}

fn expected_target(target: &Target) -> String {
    let shown = |path: &std::path::PathBuf| path.display().to_string();
    let options: Vec<String> =
        target.options.iter().map(|options| format!("max_len={}", options.max_len)).collect();
    let artifacts = target.artifact.iter().map(|artifact| &artifact.path);
    // Inputs are listed one by one there, and their folders are found.
    let folders =
        artifacts.chain(&target.regressions).map(|input| shown(&input.parent().unwrap().to_path_buf()));
    let mut folders = sorted(folders);
    folders.dedup();
    format!(
        "{} {} features {:?} seeds {:?} dictionary {:?} options {:?} replayed {:?}",
        target.name,
        target.source.display(),
        target.required_features,
        sorted(target.seeds.iter().map(shown)),
        target.dictionary.as_ref().map(shown).unwrap_or_default(),
        options,
        folders,
    )
}
