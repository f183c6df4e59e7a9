//! What is linked into targets in the place of libfuzzer-sys's own libFuzzer: one archive a machine (see
//! [`crate::libfuzzer`]).

use std::ffi::OsString;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::command::CommandSpec;
use crate::discover::FuzzCrate;
use crate::libfuzzer::{ArchiveRequest, ToolOutcome, archive};
use crate::process::{Launcher, Limits};
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
}

/// The archive for the libfuzzer-sys that `krate` is locked to. `Err` is a sentence: the build goes on without.
pub(super) fn runtime_archive(
    launcher: &Launcher,
    toolchain: &Toolchain,
    settings: &RuntimeSettings,
    krate: &FuzzCrate,
    deadline: Option<Instant>,
) -> Result<PathBuf, String> {
    let sources = libfuzzer_sources(launcher, toolchain, krate, deadline)?;
    let request = ArchiveRequest {
        sources,
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

/// The folder of libFuzzer's C++ in the libfuzzer-sys that the crate is locked to.
fn libfuzzer_sources(
    launcher: &Launcher,
    toolchain: &Toolchain,
    krate: &FuzzCrate,
    deadline: Option<Instant>,
) -> Result<PathBuf, String> {
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
    let outcome = launcher.run(&spec, &limits).map_err(|error| crate::chain(&error))?;
    if !outcome.exit.is_success() {
        return Err(format!("cargo cannot resolve its dependencies: {}", outcome.stderr.last_lines(3)));
    }
    let answer: Answer = serde_json::from_slice(&outcome.stdout.to_bytes())
        .map_err(|error| format!("cargo's answer is not understood: {error}"))?;
    let package = answer.packages.into_iter().find(|package| package.name == "libfuzzer-sys");
    let manifest = package.ok_or("it does not depend on libfuzzer-sys")?.manifest_path;
    Ok(manifest.parent().unwrap_or(Path::new("/")).join("libfuzzer"))
}
