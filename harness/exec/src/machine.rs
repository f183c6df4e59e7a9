//! What machine this is and which revision is checked out: the provenance of a run.

use std::path::Path;
use std::time::Duration;

use crate::command::CommandSpec;
use crate::process::{Launcher, Limits};

/// Git may be slow on a cold disk; provenance is not worth more.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// How many cores this process may use.
pub fn n_cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Operating system, architecture, processor and cores, on one line.
pub fn describe() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| {
        line.strip_prefix("model name")?.split_once(':').map(|(_, model)| model.trim().to_owned())
    });
    let (os, architecture, n_cores) = (std::env::consts::OS, std::env::consts::ARCH, n_cores());
    match model {
        Some(model) => format!("{os} {architecture}, {model}, {n_cores} cores"),
        None => format!("{os} {architecture}, {n_cores} cores"),
    }
}

/// The commit that is checked out at `root`, with a `+` where there are changes on top; `None` outside of git.
pub fn revision(launcher: &Launcher, root: &Path) -> Option<String> {
    let git = |args: &[&str]| {
        // A repository's own configuration could name programs to run; none is needed here. Without optional locks `status`
        // leaves the index as it was: nothing of the project is ours to write.
        let options = ["--no-optional-locks", "-c", "core.fsmonitor=false", "-C"];
        let spec = CommandSpec::new("git").args(options).arg(root).args(args);
        let outcome = launcher.run(&spec, &Limits::within(ANSWER_TIME_MAX)).ok()?;
        outcome.exit.is_success().then(|| outcome.stdout.to_text())
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changes = git(&["status", "--porcelain", "--untracked-files=no"])?;
    let mark = if changes.trim().is_empty() { "" } else { "+" };
    Some(format!("{}{mark}", commit.trim()))
}
