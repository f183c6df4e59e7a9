//! Logs: read piece by piece on all cores, so that their size does not matter.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sha2::{Digest, Sha256};
use shakedown_core::finding::Reproducibility;
use shakedown_core::formats::{LogScanner, ParsedLog};
use shakedown_core::input::hex;

use super::{Outcome, Seen, Triaged};
use crate::args::TriageArgs;

/// How much of a log is in memory at once.
const PIECE_BYTES: usize = 1 << 20;

/// How much of a log is kept as evidence: its beginning and its end.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// Reads every log.
pub(super) fn triage(files: &[PathBuf], args: &TriageArgs) -> Vec<Triaged> {
    files.par_iter().map(|file| read(file, args)).collect()
}

fn read(file: &Path, args: &TriageArgs) -> Triaged {
    let path = file.display().to_string();
    match scan(file) {
        Ok(Scanned { parsed, digest, kept }) => {
            let n_kept = if args.all { usize::MAX } else { 1 };
            let seen = |crash| Seen {
                crash,
                log: kept.clone(),
                input: None,
                reproducibility: Reproducibility::default(),
            };
            let crashes: Vec<Seen> = parsed.crashes.into_iter().take(n_kept).map(seen).collect();
            let outcome = if crashes.is_empty() { Outcome::NoCrash } else { Outcome::Crashed(crashes) };
            Triaged { path, subject: format!("log/{digest}"), outcome }
        }
        Err(error) => Triaged { subject: path.clone(), path, outcome: Outcome::Failed(error.to_string()) },
    }
}

struct Scanned {
    parsed: ParsedLog,
    digest: String,
    kept: Vec<u8>,
}

fn scan(file: &Path) -> std::io::Result<Scanned> {
    let mut reader = File::open(file)?;
    let (mut scanner, mut hasher) = (LogScanner::new(), Sha256::new());
    let mut kept = shakedown_exec::process::Output::bounded(KEPT_BYTES_MAX, KEPT_BYTES_MAX);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match reader.read(&mut piece) {
            Ok(0) => break,
            Ok(n) => {
                scanner.feed(&piece[..n]);
                hasher.update(&piece[..n]);
                kept.push(&piece[..n]);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Scanned { parsed: scanner.finish(), digest: hex(&hasher.finalize()), kept: kept.to_bytes() })
}
