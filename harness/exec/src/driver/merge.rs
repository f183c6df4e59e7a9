//! The smallest part of a corpus that still has all of its coverage: one pass, every input run once.
//!
//! The same choice as libFuzzer's `-merge=1`: smallest inputs first, an input stays if it has a feature that none
//! before it had. Shards of the corpus run side by side; an input that is new in the whole order is new in its shard
//! as well, so that the shards' lists of new features are all that is needed to decide.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Instant;

use super::crash::{Executed, RawCrash};
use super::replay::{Listing, Replayed, replay};
use super::{DriverError, Limits};
use crate::engine::libfuzzer::Program;
use crate::process::Launcher;

/// What a merge found.
#[derive(Debug, Default)]
pub struct Merged {
    /// The inputs to keep, smallest first.
    pub kept: Vec<PathBuf>,
    /// How many features they have together.
    pub n_features: usize,
    /// Inputs that end badly: they are kept by nobody, and are findings.
    pub bad: Vec<(PathBuf, RawCrash)>,
    /// Inputs that were not run, for want of time or because they can't be read. Removing them would lose coverage.
    pub not_run: Vec<PathBuf>,
}

/// Merges `inputs` with up to `jobs` processes.
pub fn merge(
    launcher: &Launcher,
    program: &Program,
    limits: Limits,
    inputs: Vec<PathBuf>,
    jobs: NonZeroUsize,
    deadline: Option<Instant>,
) -> Result<Merged, DriverError> {
    let ordered = smallest_first(inputs);
    let n_shards = jobs.get().min(ordered.len()).max(1);
    // Dealt out like cards: every shard gets small and large ones, in the same order.
    let shards: Vec<Vec<PathBuf>> =
        (0..n_shards).map(|shard| ordered.iter().skip(shard).step_by(n_shards).cloned().collect()).collect();
    let replayed = std::thread::scope(|scope| {
        let runs: Vec<_> = shards
            .iter()
            .map(|shard| scope.spawn(|| replay(launcher, program, limits, shard, Listing::New, deadline)))
            .collect();
        runs.into_iter()
            .map(|run| run.join().expect("a shard's thread does not panic"))
            .collect::<Result<Vec<_>, DriverError>>()
    })?;
    Ok(choose(ordered, replayed))
}

fn smallest_first(inputs: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut sized: Vec<(u64, PathBuf)> = inputs
        .into_iter()
        .map(|path| (std::fs::metadata(&path).map_or(u64::MAX, |metadata| metadata.len()), path))
        .collect();
    sized.sort();
    sized.into_iter().map(|(_, path)| path).collect()
}

fn choose(ordered: Vec<PathBuf>, shards: Vec<Vec<Replayed>>) -> Merged {
    let n_shards = shards.len();
    let mut shards: Vec<_> = shards.into_iter().map(Vec::into_iter).collect();
    let mut merged = Merged::default();
    let mut seen = HashSet::new();
    for (index, path) in ordered.into_iter().enumerate() {
        match shards[index % n_shards].next() {
            Some(Replayed::Executed(Executed { crash: Some(crash), .. })) => merged.bad.push((path, crash)),
            Some(Replayed::Executed(Executed { features, crash: None, .. })) => {
                let n_before = seen.len();
                seen.extend(features);
                if seen.len() > n_before {
                    merged.kept.push(path);
                }
            }
            Some(Replayed::Unreadable | Replayed::NotRun) | None => merged.not_run.push(path),
        }
    }
    merged.n_features = seen.len();
    merged
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::driver::crash::EndKind;

    fn ran(features: &[u32]) -> Replayed {
        let executed = Executed {
            end: EndKind::Passed,
            time: Duration::ZERO,
            n_features: 0,
            features: features.to_vec(),
            crash: None,
        };
        Replayed::Executed(executed)
    }

    #[test]
    fn the_number_of_shards_changes_nothing() {
        let names = || ["a", "b", "c", "d"].map(PathBuf::from).to_vec();
        // Features 1, 1+2, 2, 3: alone, one process lists 1, then 2, nothing, 3; two processes list more.
        let one = choose(names(), vec![vec![ran(&[1]), ran(&[2]), ran(&[]), ran(&[3])]]);
        let two = choose(names(), vec![vec![ran(&[1]), ran(&[2])], vec![ran(&[1, 2]), ran(&[3])]]);
        assert_eq!(one.kept, ["a", "b", "d"].map(PathBuf::from));
        assert_eq!(one.kept, two.kept);
        assert_eq!((one.n_features, two.n_features), (3, 3));
    }

    #[test]
    fn what_was_not_run_is_not_thrown_away() {
        let lost = Replayed::Executed(Executed::lost(EndKind::Killed));
        let merged = choose(["a", "b"].map(PathBuf::from).to_vec(), vec![vec![lost, Replayed::NotRun]]);
        assert!(merged.kept.is_empty());
        assert_eq!(merged.bad.len(), 1);
        assert_eq!(merged.not_run, [PathBuf::from("b")]);
    }
}
