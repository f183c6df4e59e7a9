//! Builds the fuzz targets of a crate: one cargo invocation for all of them, instrumented as cargo-fuzz does it.
//!
//! Corpora and crashes are interchangeable with cargo-fuzz's, since the flags are the same ([`flags`]). The project's own
//! `target/` and lock files stay as they are ([`lockfile`]).

pub mod flags;
mod lockfile;
mod messages;
mod runtime;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use shakedown_core::target::TargetName;

use self::flags::Instrumentation;
use self::lockfile::LockfileKeeper;
use self::messages::Messages;
use self::runtime::Runtime;
pub use self::runtime::RuntimeSettings;
use crate::command::CommandSpec;
use crate::discover::{FuzzCrate, FuzzTarget};
use crate::process::{Exit, Launcher, Limits, ProcessError, Stream, Wish};
use crate::toolchain::Toolchain;

/// How much of cargo's standard error is kept for a failure's story.
const STDERR_TAIL_BYTES_MAX: usize = 64 * 1024;

/// Why a crate could not be built at all; a target that does not compile is no such error.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Cargo could not be run.
    #[error("failed to run cargo for `{}`", manifest.display())]
    Cargo {
        /// The crate's manifest.
        manifest: PathBuf,
        /// What went wrong.
        source: ProcessError,
    },
    /// The folder for builds or the lock file could not be written.
    #[error("failed to prepare the build of `{}` at `{}`", manifest.display(), path.display())]
    Prepare {
        /// The crate's manifest.
        manifest: PathBuf,
        /// The file or folder in question.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
}

/// What a build is made with.
#[derive(Debug, Clone)]
pub struct BuildSettings {
    /// Who compiles.
    pub toolchain: Toolchain,
    /// With which instrumentation.
    pub instrumentation: Instrumentation,
    /// The folder that all builds are kept in.
    pub builds: PathBuf,
    /// How many jobs cargo runs at once; `None` leaves it to cargo.
    pub jobs: Option<usize>,
    /// The `RUSTFLAGS` that the user has set; ours come after them.
    pub inherited_rustflags: Option<String>,
    /// libFuzzer, compiled once for all projects.
    pub runtime: RuntimeSettings,
}

/// What became of the targets of one crate.
#[derive(Debug, Default)]
pub struct Built {
    /// The executables.
    pub programs: BTreeMap<TargetName, PathBuf>,
    /// For each target that has none, what the compiler said.
    pub failures: BTreeMap<TargetName, String>,
    /// Whether our driver is in them.
    pub has_driver: bool,
    /// How long it took.
    pub wall: Duration,
    /// What else is worth saying.
    pub notices: Vec<String>,
}

/// Builds the given targets of `krate` until `deadline`. `progress` hears of each compiled unit.
pub fn build(
    launcher: &Launcher,
    settings: &BuildSettings,
    krate: &FuzzCrate,
    targets: &[&FuzzTarget],
    deadline: Option<Instant>,
    mut progress: impl FnMut(&str),
) -> Result<Built, BuildError> {
    let started_at = Instant::now();
    let mut built = Built::default();
    let keeper = LockfileKeeper::take(&krate.lockfile, &settings.builds.join("locks"))
        .map_err(|source| prepare(krate, &krate.lockfile, source))?;
    let prepared = Runtime::prepare(launcher, &settings.toolchain, &settings.runtime, krate, deadline);
    let (runtime, notices) = match prepared {
        Ok(prepared) => prepared,
        Err(why) => {
            keeper.restore().map_err(|source| prepare(krate, &krate.lockfile, source))?;
            built.failures = targets.iter().map(|target| (target.name.clone(), why.clone())).collect();
            built.wall = started_at.elapsed();
            return Ok(built);
        }
    };
    built.notices = notices;
    let name = settings.instrumentation.build_name(&settings.toolchain, &runtime.identity());
    let target_dir = settings.builds.join(name);
    create_folder(&target_dir, &krate.manifest)?;
    for (features, group) in by_features(targets) {
        let spec = command(settings, krate, &target_dir, &runtime, &features, &group);
        let messages = run_cargo(launcher, &spec, deadline, &mut progress)
            .map_err(|source| BuildError::Cargo { manifest: krate.manifest.clone(), source })?;
        for target in group {
            match messages.executable(&krate.manifest, &target.bin) {
                Some(program) => drop(built.programs.insert(target.name.clone(), program)),
                None => {
                    let why = messages.failure(&krate.manifest, &target.bin);
                    built.failures.insert(target.name.clone(), why);
                }
            }
        }
    }
    built.has_driver = runtime.archive.is_some();
    built.notices.extend(runtime.refusal(krate));
    built.notices.extend(keeper.restore().map_err(|source| prepare(krate, &krate.lockfile, source))?);
    built.wall = started_at.elapsed();
    Ok(built)
}

fn prepare(krate: &FuzzCrate, path: &Path, source: io::Error) -> BuildError {
    BuildError::Prepare { manifest: krate.manifest.clone(), path: path.to_path_buf(), source }
}

fn create_folder(path: &Path, manifest: &Path) -> Result<(), BuildError> {
    std::fs::create_dir_all(path).map_err(|source| BuildError::Prepare {
        manifest: manifest.to_path_buf(),
        path: path.to_path_buf(),
        source,
    })
}

/// Targets that need different features cannot share an invocation: their features may exclude each other.
fn by_features<'a>(targets: &[&'a FuzzTarget]) -> BTreeMap<BTreeSet<String>, Vec<&'a FuzzTarget>> {
    let mut groups: BTreeMap<BTreeSet<String>, Vec<&FuzzTarget>> = BTreeMap::new();
    for target in targets {
        groups.entry(target.required_features.clone()).or_default().push(target);
    }
    groups
}

/// The cargo invocation that builds `targets`.
fn command(
    settings: &BuildSettings,
    krate: &FuzzCrate,
    target_dir: &Path,
    runtime: &Runtime,
    features: &BTreeSet<String>,
    targets: &[&FuzzTarget],
) -> CommandSpec {
    let rustflags = settings.instrumentation.rustflags(settings.inherited_rustflags.as_deref());
    let mut spec = settings
        .toolchain
        .command("cargo")
        .args(["build", "--release", "--keep-going", "--message-format=json", "--manifest-path"])
        .arg(&krate.manifest)
        .arg("--target-dir")
        .arg(target_dir)
        // An explicit target keeps the flags away from build scripts and procedural macros.
        .args(["--target", &settings.toolchain.host])
        .env("RUSTFLAGS", rustflags)
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    for (name, value) in flags::PROFILE {
        spec = spec.env(name, value);
    }
    if settings.instrumentation.needs_bootstrap(&settings.toolchain) {
        spec = spec.env("RUSTC_BOOTSTRAP", "1");
    }
    spec = runtime.apply(spec, &settings.runtime.executable);
    if let Some(jobs) = settings.jobs {
        spec = spec.args(["--jobs".to_owned(), jobs.to_string()]);
    }
    if !features.is_empty() {
        spec = spec.args(["--features".to_owned(), features.iter().cloned().collect::<Vec<_>>().join(",")]);
    }
    for target in targets {
        spec = spec.arg("--bin").arg(&target.bin);
    }
    match krate.manifest.parent() {
        Some(folder) => spec.cwd(folder),
        None => spec,
    }
}

fn run_cargo(
    launcher: &Launcher,
    spec: &CommandSpec,
    deadline: Option<Instant>,
    progress: &mut impl FnMut(&str),
) -> Result<Messages, ProcessError> {
    let mut messages = Messages::default();
    let limits =
        Limits { deadline, head_bytes_max: 0, tail_bytes_max: STDERR_TAIL_BYTES_MAX, ..Limits::default() };
    let outcome = launcher.run_watched(spec, &limits, |line, _| {
        if let Some((Stream::Stdout, line)) = line
            && let Some(unit) = messages.take(line)
        {
            progress(&unit);
        }
        Wish::Continue
    })?;
    messages.end = match outcome.exit {
        Exit::Success | Exit::Failure(_) => outcome.stderr.last_lines(40),
        Exit::Timeout => "the time budget ended before the build did".to_owned(),
        Exit::Signal(_) | Exit::OutOfMemory | Exit::Stopped => format!("cargo was {}", outcome.exit),
    };
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toolchain::Channel;
    use flags::Sanitizer;

    fn target(bin: &str, features: &[&str]) -> FuzzTarget {
        FuzzTarget {
            name: TargetName::new(bin),
            bin: bin.to_owned(),
            source: PathBuf::from("x.rs"),
            required_features: features.iter().map(|&feature| feature.to_owned()).collect(),
            assets: crate::discover::Assets::default(),
        }
    }

    #[test]
    fn targets_with_different_features_are_built_apart() {
        let (plain, other, special) = (target("a", &[]), target("b", &[]), target("c", &["x"]));
        let groups = by_features(&[&plain, &special, &other]);
        let bins: Vec<Vec<&str>> =
            groups.values().map(|group| group.iter().map(|target| target.bin.as_str()).collect()).collect();
        assert_eq!(bins, [vec!["a", "b"], vec!["c"]]);
    }

    #[test]
    fn the_invocation_is_one_line_that_can_be_pasted() {
        let settings = BuildSettings {
            toolchain: Toolchain {
                name: Some("nightly-x86_64-unknown-linux-gnu".to_owned()),
                channel: Channel::Nightly,
                version: "rustc 1.97.0-nightly".to_owned(),
                host: "x86_64-unknown-linux-gnu".to_owned(),
                has_address_sanitizer: true,
            },
            instrumentation: Instrumentation { sanitizer: Sanitizer::None },
            builds: PathBuf::from("/p/.shakedown/build"),
            jobs: Some(2),
            inherited_rustflags: None,
            runtime: RuntimeSettings {
                cache: PathBuf::from("/cache"),
                compiler: "c++".into(),
                jobs: std::num::NonZeroUsize::MIN,
                executable: PathBuf::from("/bin/shakedown"),
                inherited_rustc_wrapper: None,
            },
        };
        let krate = FuzzCrate {
            name: "x-fuzz".to_owned(),
            manifest: PathBuf::from("/p/fuzz/Cargo.toml"),
            lockfile: PathBuf::from("/p/fuzz/Cargo.lock"),
            targets: vec![],
        };
        let (one, two) = (target("one", &["f"]), target("two", &["f"]));
        let line = command(
            &settings,
            &krate,
            Path::new("/b"),
            &Runtime::default(),
            &one.required_features,
            &[&one, &two],
        )
        .to_string();
        assert!(line.starts_with("cd /p/fuzz && env -u CARGO -u CARGO_ENCODED_RUSTFLAGS"), "{line}");
        assert!(line.contains("RUSTUP_TOOLCHAIN=nightly-x86_64-unknown-linux-gnu"), "{line}");
        assert!(line.ends_with("--jobs 2 --features f --bin one --bin two"), "{line}");
    }
}
