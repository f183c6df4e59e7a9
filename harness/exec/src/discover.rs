//! Finds what a project has: fuzz crates of cargo-fuzz's kind at any depth, and bench targets.
//!
//! Reading order: [`manifests`] walks the tree, [`metadata`] asks cargo, [`assets`] finds what lies beside a target.
//! Nothing is built here, and no file of the project is changed.

mod assets;
mod manifests;
mod metadata;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use shakedown_core::target::TargetName;

pub use self::assets::Assets;
use self::metadata::Package;
use crate::process::Launcher;
use crate::toolchain::Toolchain;

/// A package that carries `package.metadata.cargo-fuzz`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FuzzCrate {
    /// The package's name.
    pub name: String,
    /// Its `Cargo.toml`.
    pub manifest: PathBuf,
    /// Where its lock file is or would be.
    pub lockfile: PathBuf,
    /// Its targets.
    pub targets: Vec<FuzzTarget>,
}

/// One `[[bin]]` of a fuzz crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FuzzTarget {
    /// The target's name in this project: the binary's, with the crate's before it where two share one.
    pub name: TargetName,
    /// The binary's name.
    pub bin: String,
    /// Its source file.
    pub source: PathBuf,
    /// The features without which cargo does not build it.
    pub required_features: BTreeSet<String>,
    /// What lies beside it: seeds, dictionary, options, inputs to replay.
    pub assets: Assets,
}

/// A `[[bench]]` target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BenchTarget {
    /// The package's name.
    pub package: String,
    /// The bench's name.
    pub name: String,
    /// The package's `Cargo.toml`.
    pub manifest: PathBuf,
    /// Whether the package depends on criterion.
    pub is_criterion: bool,
}

/// What was found, and what is worth saying about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovery {
    /// The fuzz crates, by path.
    pub fuzz_crates: Vec<FuzzCrate>,
    /// The benches, by path.
    pub benches: Vec<BenchTarget>,
    /// Sentences about what was found and cannot be used, or only in part.
    pub notices: Vec<String>,
}

impl Discovery {
    /// All fuzz targets with their crates.
    pub fn targets(&self) -> impl Iterator<Item = (&FuzzCrate, &FuzzTarget)> {
        self.fuzz_crates.iter().flat_map(|krate| krate.targets.iter().map(move |target| (krate, target)))
    }
}

/// Looks through `root`, leaving out the folders in `exclude` (relative to `root`).
pub fn discover(launcher: &Launcher, toolchain: &Toolchain, root: &Path, exclude: &[PathBuf]) -> Discovery {
    let mut discovery = Discovery::default();
    let manifests = manifests::walk(root, exclude, &mut discovery.notices);
    let mut workspaces = Workspaces { launcher, toolchain, packages: BTreeMap::new() };
    for manifest in &manifests {
        let package = match workspaces.package(&manifest.path) {
            Ok(package) => package,
            // A crate that cargo cannot read matters only where it would be fuzzed or measured.
            Err(why) if manifest.is_fuzz || manifest.has_bench => {
                let shown = relative(&manifest.path, root);
                discovery.notices.push(format!("cargo cannot read `{}`: {why}", shown.display()));
                continue;
            }
            Err(_) => continue,
        };
        if manifest.is_fuzz {
            match fuzz_crate(&package, root) {
                Ok(found) => discovery.fuzz_crates.push(found),
                Err(why) => discovery.notices.push(why),
            }
        } else {
            discovery.benches.extend(benches(&package));
        }
    }
    tell_same_names_apart(&mut discovery.fuzz_crates);
    discovery
}

/// What cargo said about each manifest: one question a workspace.
struct Workspaces<'a> {
    launcher: &'a Launcher,
    toolchain: &'a Toolchain,
    packages: BTreeMap<PathBuf, Package>,
}

impl Workspaces<'_> {
    fn package(&mut self, manifest: &Path) -> Result<Package, String> {
        if let Some(package) = self.packages.get(manifest) {
            return Ok(package.clone());
        }
        let packages = metadata::packages(self.launcher, self.toolchain, manifest)?;
        self.packages.extend(packages.into_iter().map(|package| (package.manifest.clone(), package)));
        self.packages.get(manifest).cloned().ok_or_else(|| "its workspace does not list it".to_owned())
    }
}

fn fuzz_crate(package: &Package, root: &Path) -> Result<FuzzCrate, String> {
    let shown = relative(&package.manifest, root);
    let bins: Vec<_> = package.targets.iter().filter(|target| target.is_bin()).collect();
    if !package.depends_on_libfuzzer && !bins.iter().any(|bin| manifests::mentions_libfuzzer(&bin.source)) {
        return Err(format!(
            "`{}` says `cargo-fuzz = true`, but has no libFuzzer target (AFL++ or honggfuzz?); left out",
            shown.display()
        ));
    }
    let folder = package.manifest.parent().unwrap_or(root);
    let targets: Vec<FuzzTarget> = bins
        .into_iter()
        .map(|bin| FuzzTarget {
            name: TargetName::new(&bin.name),
            bin: bin.name.clone(),
            source: bin.source.clone(),
            required_features: bin.required_features.iter().cloned().collect(),
            assets: assets::find(folder, root, &bin.name, &bin.source),
        })
        .collect();
    if targets.is_empty() {
        return Err(format!("`{}` is a fuzz crate without a `[[bin]]`; left out", shown.display()));
    }
    Ok(FuzzCrate {
        name: package.name.clone(),
        manifest: package.manifest.clone(),
        lockfile: package.lockfile.clone(),
        targets,
    })
}

fn benches(package: &Package) -> impl Iterator<Item = BenchTarget> {
    package.targets.iter().filter(|target| target.is_bench()).map(|target| BenchTarget {
        package: package.name.clone(),
        name: target.name.clone(),
        manifest: package.manifest.clone(),
        is_criterion: package.depends_on_criterion,
    })
}

/// Puts the crate's name before a target's where two crates have one of the same name.
fn tell_same_names_apart(crates: &mut [FuzzCrate]) {
    let mut n_of_name: BTreeMap<TargetName, usize> = BTreeMap::new();
    for target in crates.iter().flat_map(|krate| &krate.targets) {
        *n_of_name.entry(target.name.clone()).or_default() += 1;
    }
    for krate in crates {
        for target in &mut krate.targets {
            if n_of_name[&target.name] > 1 {
                target.name = TargetName::new(format!("{}/{}", krate.name, target.bin));
            }
        }
    }
}

/// `path` as seen from `root`, or whole where it lies elsewhere.
pub fn relative<'a>(path: &'a Path, root: &Path) -> &'a Path {
    path.strip_prefix(root).unwrap_or(path)
}
