//! Values for this crate's tests.

use shakedown_core::crash::{CrashKind, Severity};
use shakedown_core::finding::{Reproducibility, SignedCrash};
use shakedown_core::input::InputId;
use shakedown_core::run::{RunId, sample};
use shakedown_core::target::TargetName;
use shakedown_core::time::Timestamp;

use crate::Store;

/// A new store with three runs that have begun.
pub(crate) fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    for run in ["one", "two", "three"] {
        store.begin_run(&RunId::from_text(run), Timestamp(1), "shakedown fuzz").unwrap();
    }
    (folder, store)
}

/// A crash of the defect `name`.
pub(crate) fn crash(name: &str, input: &[u8]) -> SignedCrash {
    SignedCrash {
        signature: sample::signature(name),
        target: TargetName::new("parse"),
        kind: CrashKind::Panic,
        severity: Severity::Medium,
        title: format!("panic: {name}"),
        place: Some("src/lib.rs:7".to_owned()),
        reproducibility: Reproducibility { n_same: 3, n_tried: 3 },
        input: Some((InputId::of(input), input.len() as u64)),
        log: InputId::of(b"log"),
        seen_at: Timestamp(1000),
    }
}

/// One of the runs of [`store`].
pub(crate) fn run(name: &str) -> RunId {
    RunId::from_text(name)
}
