//! What is linked into targets in the place of libfuzzer-sys's own parts: libFuzzer with our driver, compiled once a
//! machine ([`crate::libfuzzer`]), and a copy of its Rust part that catches panics ([`crate::driver::runtime`]).

use std::ffi::OsString;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::command::CommandSpec;
use crate::discover::FuzzCrate;
use crate::driver;
use crate::driver::wrapper::Substitution;
use crate::libfuzzer::{ARCHIVE_VARIABLE, ArchiveRequest, ToolOutcome, archive};
use crate::process::{Exit, Launcher, Limits};
use crate::toolchain::Toolchain;

/// Resolving may download crates; a build without network must not wait for it for ever.
const RESOLVE_TIME_MAX: Duration = Duration::from_secs(300);

/// The largest answer of `cargo metadata` that is kept: a thousand packages need about 10 MiB.
const ANSWER_BYTES_MAX: usize = 128 << 20;

/// How libFuzzer is compiled and where the result is kept.
#[derive(Debug, Clone)]
pub struct RuntimeSettings {
    /// The folder of archives, shared by all projects of this user.
    pub cache: PathBuf,
    /// The C++ compiler.
    pub compiler: OsString,
    /// How many compilers run at once.
    pub jobs: NonZeroUsize,
    /// This program, which cargo calls in the place of the compiler (see [`crate::driver::wrapper`]).
    pub executable: PathBuf,
    /// The `RUSTC_WRAPPER` that the user has set; ours calls it.
    pub inherited_rustc_wrapper: Option<OsString>,
}

/// What takes the place of libfuzzer-sys's own parts in one build. Parts that cannot be had are left out, with a
/// sentence: the build goes on without.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Runtime {
    pub(super) archive: Option<PathBuf>,
    pub(super) substitution: Option<Substitution>,
}

impl Runtime {
    /// Prepares both parts for the libfuzzer-sys that `krate` is locked to. `Err` is what cargo said where the dependencies
    /// cannot be had at all: then there is nothing to build.
    pub(super) fn prepare(
        launcher: &Launcher,
        toolchain: &Toolchain,
        settings: &RuntimeSettings,
        krate: &FuzzCrate,
        deadline: Option<Instant>,
    ) -> Result<(Self, Vec<String>), String> {
        let package = match libfuzzer_sys(launcher, toolchain, krate, deadline) {
            Ok(package) => package,
            Err(NoPackage::Unresolved { stderr }) => return Err(stderr),
            Err(NoPackage::Unknown { why }) => {
                let notice = format!("{} is built without our driver: {why}", krate.name);
                return Ok((Self::default(), vec![notice]));
            }
        };
        let mut notices = Vec::new();
        let archive = archive_of(launcher, settings, &package, deadline)
            .map_err(|why| {
                notices.push(format!("{} builds its own libFuzzer, which is slower: {why}", krate.name));
            })
            .ok();
        // Without the driver in the archive the Rust part would call functions that are not there.
        let substitution =
            archive.is_some().then(|| substitution(settings, &package)).and_then(|substitution| {
                substitution.map_err(|why| notices.push(ends_at_panics(krate, &why))).ok()
            });
        Ok((Self { archive, substitution }, notices))
    }

    /// The command with both parts in it.
    pub(super) fn apply(&self, spec: CommandSpec, executable: &Path) -> CommandSpec {
        let spec = match &self.archive {
            Some(archive) => spec.env(ARCHIVE_VARIABLE, archive),
            None => spec,
        };
        match &self.substitution {
            Some(substitution) => substitution.apply(spec, executable),
            None => spec,
        }
    }

    /// What must be equal for two builds to share a folder: cargo does not know all of it as an input.
    pub(super) fn identity(&self) -> String {
        let sources = self.substitution.as_ref().map(|substitution| substitution.sources.key());
        format!("{:?} {sources:?}", self.archive)
    }

    /// A sentence, where the compiler refused our copy.
    pub(super) fn refusal(&self, krate: &FuzzCrate) -> Option<String> {
        let why = self.substitution.as_ref()?.refusal()?;
        Some(ends_at_panics(krate, why.lines().next().unwrap_or("the compiler refused our copy")))
    }
}

fn ends_at_panics(krate: &FuzzCrate, why: &str) -> String {
    format!("each panic in {} ends its process, which is slower: {why}", krate.name)
}

fn substitution(settings: &RuntimeSettings, package: &Path) -> Result<Substitution, String> {
    let sources = driver::runtime::prepare(&package.join("src/lib.rs"), &settings.cache.join("runtime"))
        .map_err(|error| crate::chain(&error))?;
    Ok(Substitution { sources, inner: settings.inherited_rustc_wrapper.clone() })
}

fn archive_of(
    launcher: &Launcher,
    settings: &RuntimeSettings,
    package: &Path,
    deadline: Option<Instant>,
) -> Result<PathBuf, String> {
    let request = ArchiveRequest {
        sources: package.join("libfuzzer"),
        compiler: settings.compiler.clone(),
        cache: settings.cache.clone(),
        jobs: settings.jobs,
    };
    let run = |program: &std::ffi::OsStr, args: &[OsString]| {
        let limits = Limits { deadline, ..Limits::default() };
        let outcome =
            launcher.run(&CommandSpec::new(program).args(args), &limits).map_err(io::Error::other)?;
        Ok(ToolOutcome {
            success: outcome.exit.is_success(),
            stdout: outcome.stdout.to_text(),
            stderr: outcome.stderr.to_text(),
        })
    };
    archive(&request, &run).map_err(|error| crate::chain(&error))
}

#[derive(Deserialize)]
struct Answer {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
}

/// Why the libfuzzer-sys of a crate is not known.
enum NoPackage {
    /// Cargo says that the dependencies cannot be had; a build would only say it again.
    Unresolved { stderr: String },
    /// Anything else: the build itself may do better.
    Unknown { why: String },
}

/// The folder of the libfuzzer-sys that the crate is locked to.
fn libfuzzer_sys(
    launcher: &Launcher,
    toolchain: &Toolchain,
    krate: &FuzzCrate,
    deadline: Option<Instant>,
) -> Result<PathBuf, NoPackage> {
    let unknown = |why: String| NoPackage::Unknown { why };
    let spec = toolchain
        .command("cargo")
        .args(["metadata", "--format-version=1", "--filter-platform", &toolchain.host, "--manifest-path"])
        .arg(&krate.manifest)
        .cwd(krate.manifest.parent().unwrap_or(Path::new("/")));
    let latest = Instant::now() + RESOLVE_TIME_MAX;
    let limits = Limits {
        head_bytes_max: ANSWER_BYTES_MAX,
        ..Limits::until(deadline.map_or(latest, |deadline| deadline.min(latest)))
    };
    let outcome = launcher.run(&spec, &limits).map_err(|error| unknown(crate::chain(&error)))?;
    match outcome.exit {
        Exit::Success => {}
        Exit::Failure(_) => return Err(NoPackage::Unresolved { stderr: outcome.stderr.last_lines(40) }),
        Exit::Signal(_) | Exit::Timeout | Exit::OutOfMemory | Exit::Stopped => {
            return Err(unknown(format!("cargo was {} while it resolved dependencies", outcome.exit)));
        }
    }
    let answer: Answer = serde_json::from_slice(&outcome.stdout.to_bytes())
        .map_err(|error| unknown(format!("cargo's answer is not understood: {error}")))?;
    let package = answer.packages.into_iter().find(|package| package.name == "libfuzzer-sys");
    let package = package.ok_or_else(|| unknown("it does not depend on libfuzzer-sys".to_owned()))?;
    let manifest = package.manifest_path;
    Ok(manifest.parent().unwrap_or(Path::new("/")).to_path_buf())
}
