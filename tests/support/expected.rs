//! The tables of what must be found: `tests/layouts/expected.toml`, `examples/canary/defects.toml`, `tests/peers/peers.toml`.

use std::path::PathBuf;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::repository;

fn read<T: DeserializeOwned>(path: &str) -> T {
    let text = std::fs::read_to_string(repository().join(path)).unwrap();
    toml::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// `tests/layouts/expected.toml`.
pub fn layouts() -> Vec<Layout> {
    #[derive(Deserialize)]
    struct File {
        layout: Vec<Layout>,
    }
    read::<File>("tests/layouts/expected.toml").layout
}

/// What must be discovered in a project of one layout, and what must be said.
#[derive(Debug, Clone, Deserialize)]
pub struct Layout {
    /// Its folder.
    pub dir: String,
    /// What is special about it.
    pub shows: String,
    /// The fuzz crates.
    #[serde(default)]
    pub fuzz_crate: Vec<FuzzCrate>,
    /// The benches.
    #[serde(default)]
    pub bench: Vec<Bench>,
    /// What must be told.
    #[serde(default)]
    pub say: Vec<Say>,
}

/// A fuzz crate of a layout.
#[derive(Debug, Clone, Deserialize)]
pub struct FuzzCrate {
    /// Its `Cargo.toml`.
    pub manifest: PathBuf,
    /// Its name.
    pub package: String,
    /// Where its lock file is or would be.
    pub workspace: PathBuf,
    /// Its targets.
    #[serde(default)]
    pub target: Vec<Target>,
}

/// A fuzz target of a layout.
#[derive(Debug, Clone, Deserialize)]
pub struct Target {
    /// Its binary's name.
    pub name: String,
    /// Its file.
    pub source: PathBuf,
    /// The features without which cargo does not build it.
    #[serde(default)]
    pub required_features: Vec<String>,
    /// Folders and archives of inputs.
    #[serde(default)]
    pub seeds: Vec<PathBuf>,
    /// Its dictionary.
    pub dictionary: Option<PathBuf>,
    /// Its `.options` file.
    pub options: Option<Options>,
    /// Inputs that crashed once.
    #[serde(default)]
    pub artifact: Vec<Artifact>,
    /// Inputs of fixed defects.
    #[serde(default)]
    pub regressions: Vec<PathBuf>,
    /// Whether it compiles.
    #[serde(default = "yes")]
    pub builds: bool,
}

fn yes() -> bool {
    true
}

/// An `.options` file.
#[derive(Debug, Clone, Deserialize)]
pub struct Options {
    /// The file.
    pub path: PathBuf,
    /// Its `max_len`.
    pub max_len: u64,
}

/// A committed input that crashed once.
#[derive(Debug, Clone, Deserialize)]
pub struct Artifact {
    /// The file.
    pub path: PathBuf,
    /// Whether it does so now.
    pub still_crashes: bool,
}

/// A bench of a layout.
#[derive(Debug, Clone, Deserialize)]
pub struct Bench {
    /// Its name.
    pub name: String,
    /// `criterion`, `own` or `libtest`.
    pub harness: String,
}

/// Something that must be told.
#[derive(Debug, Clone, Deserialize)]
pub struct Say {
    /// A path or a target.
    pub about: String,
    /// What kind of thing it is.
    pub kind: SayKind,
    /// Words that must be in it.
    pub names: Option<String>,
}

/// Kinds of things that must be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SayKind {
    /// A toolchain that is pinned is not installed.
    MissingToolchain,
    /// A crate says that it is cargo-fuzz's, and is not.
    NoLibfuzzerTarget,
    /// A target does not compile.
    BuildFailed,
    /// A crate's dependency cannot be had.
    DependencyUnreachable,
    /// A target needs features.
    FeaturesNeeded,
}

/// `examples/canary/defects.toml`.
pub fn defects() -> Defects {
    read("examples/canary/defects.toml")
}

/// What is planted in the canary.
#[derive(Debug, Clone, Deserialize)]
pub struct Defects {
    /// Each must be found once.
    pub defect: Vec<Defect>,
    /// Targets in which nothing must be found.
    pub clean: Vec<Clean>,
}

/// A planted defect.
#[derive(Debug, Clone, Deserialize)]
pub struct Defect {
    /// Its name in the sources.
    pub name: String,
    /// The target that meets it.
    pub target: String,
    /// As Shakedown names it.
    pub kind: String,
    /// The functions in which it may stop.
    pub functions: Vec<String>,
    /// The fault's file.
    pub file: String,
}

/// A target in which nothing is planted.
#[derive(Debug, Clone, Deserialize)]
pub struct Clean {
    /// Its name.
    pub target: String,
}

/// `tests/peers/peers.toml`.
pub fn peers() -> Vec<Peer> {
    #[derive(Deserialize)]
    struct File {
        peer: Vec<Peer>,
    }
    read::<File>("tests/peers/peers.toml").peer
}

/// A fuzzer in another language.
#[derive(Debug, Clone, Deserialize)]
pub struct Peer {
    /// Its name.
    pub name: String,
    /// How it is started, with places for folders.
    pub command: Option<Vec<String>>,
    /// Or the program.
    pub binary: Option<String>,
    /// What it must find.
    pub kind: String,
    /// The function in which it stops.
    pub function: String,
    /// That function's file.
    pub file: String,
}
