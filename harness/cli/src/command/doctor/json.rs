//! `doctor --json`: the same for programs, one object with a version. Paths are as seen from the project's root.

use std::path::{Path, PathBuf};

use serde::Serialize;
use shakedown_exec::discover::{BenchTarget, Discovery, FuzzCrate, FuzzTarget, relative};

use super::{Check, setting_rows};
use crate::config::Settings;

/// The version of the object below.
const VERSION: u32 = 1;

/// What was examined.
pub(super) struct Examination<'a> {
    pub(super) checks: &'a [Check],
    pub(super) discovery: &'a Discovery,
    pub(super) settings: &'a Settings,
    pub(super) notices: &'a [String],
}

#[derive(Serialize)]
struct Wire<'a> {
    event: &'static str,
    version: u32,
    root: &'a Path,
    checks: Vec<WireCheck<'a>>,
    fuzz_crates: Vec<WireCrate<'a>>,
    ready_made: Vec<&'a str>,
    benches: Vec<WireBench<'a>>,
    settings: Vec<WireSetting>,
    notices: &'a [String],
}

#[derive(Serialize)]
struct WireCheck<'a> {
    what: &'a str,
    found: &'a str,
    cure: Option<&'a str>,
    is_fine: bool,
    is_required: bool,
}

#[derive(Serialize)]
struct WireCrate<'a> {
    package: &'a str,
    manifest: &'a Path,
    lockfile: &'a Path,
    targets: Vec<WireTarget<'a>>,
}

#[derive(Serialize)]
struct WireTarget<'a> {
    name: &'a str,
    bin: &'a str,
    source: &'a Path,
    required_features: Vec<&'a str>,
    seeds: Vec<&'a Path>,
    replayed_first: Vec<&'a Path>,
    dictionary: Option<&'a Path>,
    options: Vec<String>,
}

#[derive(Serialize)]
struct WireBench<'a> {
    package: &'a str,
    name: &'a str,
    manifest: &'a Path,
    is_criterion: bool,
}

#[derive(Serialize)]
struct WireSetting {
    name: &'static str,
    value: String,
    source: String,
}

/// Lays it out on one line.
pub(super) fn render(examination: &Examination<'_>) -> String {
    let Examination { checks, discovery, settings, notices } = examination;
    let root = settings.root.as_path();
    let is_ready_made = |name: &&String| {
        let section = &settings.targets[*name];
        section.binary.is_some() || section.command.is_some()
    };
    let wire = Wire {
        event: "doctor",
        version: VERSION,
        root,
        checks: checks.iter().map(check).collect(),
        fuzz_crates: discovery.fuzz_crates.iter().map(|krate| fuzz_crate(krate, root)).collect(),
        ready_made: settings.targets.keys().filter(is_ready_made).map(String::as_str).collect(),
        benches: discovery.benches.iter().map(|found| bench(found, root)).collect(),
        settings: setting_rows(settings)
            .into_iter()
            .map(|row| WireSetting { name: row.name, value: row.value, source: row.source })
            .collect(),
        notices,
    };
    serde_json::to_string(&wire).unwrap_or_else(|error| {
        // Only a path that is no UTF-8 can come to this.
        serde_json::json!({ "event": "doctor", "version": VERSION, "error": error.to_string() }).to_string()
    })
}

fn check(check: &Check) -> WireCheck<'_> {
    WireCheck {
        what: check.what,
        found: &check.found,
        cure: check.cure.as_deref(),
        is_fine: check.is_fine,
        is_required: check.is_required,
    }
}

fn fuzz_crate<'a>(krate: &'a FuzzCrate, root: &Path) -> WireCrate<'a> {
    WireCrate {
        package: &krate.name,
        manifest: relative(&krate.manifest, root),
        lockfile: relative(&krate.lockfile, root),
        targets: krate.targets.iter().map(|found| target(found, root)).collect(),
    }
}

fn target<'a>(target: &'a FuzzTarget, root: &Path) -> WireTarget<'a> {
    let assets = &target.assets;
    let all_relative = |paths: &'a [PathBuf]| paths.iter().map(|path| relative(path, root));
    WireTarget {
        name: target.name.as_str(),
        bin: &target.bin,
        source: relative(&target.source, root),
        required_features: target.required_features.iter().map(String::as_str).collect(),
        seeds: all_relative(&assets.seed_folders).chain(all_relative(&assets.seed_archives)).collect(),
        replayed_first: all_relative(&assets.regression_folders).collect(),
        dictionary: assets.dictionary.as_deref().map(|path| relative(path, root)),
        options: assets.options.iter().map(|(name, value)| format!("{name}={value}")).collect(),
    }
}

fn bench<'a>(bench: &'a BenchTarget, root: &Path) -> WireBench<'a> {
    WireBench {
        package: &bench.package,
        name: &bench.name,
        manifest: relative(&bench.manifest, root),
        is_criterion: bench.is_criterion,
    }
}
