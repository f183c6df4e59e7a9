//! What cargo says about a workspace: `cargo metadata --no-deps`, which resolves nothing and writes nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::process::{Launcher, Limits};
use crate::toolchain::Toolchain;

/// How long cargo may take: it reads manifests only.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);

/// The largest answer that is kept; a workspace of 500 packages answers about 3 MiB.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The crates that libFuzzer targets are linked with.
const LIBFUZZER_CRATES: [&str; 2] = ["libfuzzer-sys", "libafl_libfuzzer"];

/// One package of a workspace.
#[derive(Debug, Clone)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) manifest: PathBuf,
    pub(super) lockfile: PathBuf,
    pub(super) targets: Vec<Target>,
    pub(super) depends_on_libfuzzer: bool,
    pub(super) depends_on_criterion: bool,
}

/// One target, in cargo's sense.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Target {
    pub(super) name: String,
    kind: Vec<String>,
    #[serde(rename = "src_path")]
    pub(super) source: PathBuf,
    #[serde(default, rename = "required-features")]
    pub(super) required_features: Vec<String>,
}

impl Target {
    pub(super) fn is_bin(&self) -> bool {
        self.kind.iter().any(|kind| kind == "bin")
    }

    pub(super) fn is_bench(&self) -> bool {
        self.kind.iter().any(|kind| kind == "bench")
    }
}

#[derive(Deserialize)]
struct Answer {
    packages: Vec<WirePackage>,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct WirePackage {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
}

/// The packages of the workspace that `manifest` belongs to, or one sentence why cargo cannot say.
pub(super) fn packages(
    launcher: &Launcher,
    toolchain: &Toolchain,
    manifest: &Path,
) -> Result<Vec<Package>, String> {
    let folder = manifest.parent().ok_or("it has no folder")?;
    let spec = toolchain
        .command("cargo")
        .args(["metadata", "--no-deps", "--format-version=1", "--manifest-path"])
        .arg(manifest)
        .cwd(folder);
    let limits = Limits { head_bytes_max: ANSWER_BYTES_MAX, ..Limits::within(ANSWER_TIME_MAX) };
    let outcome = launcher.run(&spec, &limits).map_err(|error| error.to_string())?;
    if !outcome.exit.is_success() {
        return Err(first_error(&outcome.stderr.to_text()));
    }
    let answer: Answer = serde_json::from_slice(&outcome.stdout.to_bytes())
        .map_err(|error| format!("its answer is not understood: {error}"))?;
    let lockfile = answer.workspace_root.join("Cargo.lock");
    Ok(answer.packages.into_iter().map(|package| from_wire(package, &lockfile)).collect())
}

fn from_wire(package: WirePackage, lockfile: &Path) -> Package {
    let depends_on = |names: &[&str]| {
        package.dependencies.iter().any(|dependency| names.contains(&dependency.name.as_str()))
    };
    Package {
        depends_on_libfuzzer: depends_on(&LIBFUZZER_CRATES),
        depends_on_criterion: depends_on(&["criterion", "codspeed-criterion-compat"]),
        name: package.name,
        manifest: package.manifest_path,
        lockfile: lockfile.to_path_buf(),
        targets: package.targets,
    }
}

/// The sentence that matters in cargo's complaint.
fn first_error(stderr: &str) -> String {
    let line = stderr.lines().find_map(|line| line.strip_prefix("error: ")).or_else(|| stderr.lines().next());
    line.unwrap_or("it says nothing").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_after_error_is_what_matters() {
        let stderr = "warning: something\nerror: failed to parse manifest at `/x/Cargo.toml`\n\nCaused by:\n";
        assert_eq!(first_error(stderr), "failed to parse manifest at `/x/Cargo.toml`");
    }
}
