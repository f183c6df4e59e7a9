//! What the integration tests share: one helper for each boundary, so that a change of the boundary is a change here.
//!
//! Reading order: [`project`] (a project in a temporary folder), [`harness`] (a command of shakedown's, fluently),
//! [`said`] (what came of it), [`processes`] (who is still alive), [`fuzzer`] (what the fakes in `fakes/` share),
//! [`redact`] (what differs from run to run), [`expected`] (tables of what must be found), [`sources`] (for the tidy test).
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests as well: what fails here fails the test"
)]

pub mod expected;
pub mod fuzzer;
pub mod harness;
pub mod processes;
pub mod project;
pub mod redact;
pub mod said;
pub mod sources;

use std::path::{Path, PathBuf};

/// The root of this repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The folder in which cargo puts the programs of this package: the parent of the running test's own.
fn built() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().and_then(Path::parent).unwrap().to_path_buf()
}

/// A fake of `fakes/`, by its name in `Cargo.toml`.
pub fn fake(name: &str) -> PathBuf {
    let path = built().join(name);
    assert!(path.is_file(), "no fake is called `{name}`: {} is missing", path.display());
    path
}

/// A folder that outlives a run of the tests, for what is expensive to make.
pub fn kept(name: &str) -> PathBuf {
    let folder = built().join("kept-by-tests").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A variable of this process. The product reads its own in `cli::config`; this is the door of the tests.
#[expect(clippy::disallowed_methods, reason = "the door through which tests read variables")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
