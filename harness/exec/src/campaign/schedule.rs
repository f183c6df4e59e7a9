//! Who is fuzzed next, and for how long.
//!
//! The rule is fairness: the open target with the least time gets the next slice. Slices double, so that every target is
//! looked at early (most easy crashes come within seconds) and a long campaign does not spend its time loading corpora.
//! With no more targets than jobs there is nothing to share, and a slice is all the time that is left.

use std::time::Duration;

use shakedown_core::input::InputId;

/// The first slice of a target that shares its job with others.
const FIRST_SLICE: Duration = Duration::from_secs(5);

/// The longest slice of a target that shares its job with others.
const SLICE_MAX: Duration = Duration::from_secs(600);

/// Time for one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slice {
    /// The target's index.
    pub(super) target: usize,
    /// How long it may fuzz.
    pub(super) time: Duration,
}

/// The state of all targets' time. Times are measured from the campaign's start.
#[derive(Debug)]
pub(super) struct Schedule {
    targets: Vec<Entry>,
    n_jobs: usize,
    end: Duration,
}

#[derive(Debug, Default, Clone)]
struct Entry {
    used: Duration,
    n_running: usize,
    is_closed: bool,
}

impl Schedule {
    /// A schedule for `n_targets` over `n_jobs` that ends after `time`.
    pub(super) fn new(n_targets: usize, n_jobs: usize, time: Duration) -> Self {
        Self { targets: vec![Entry::default(); n_targets], n_jobs: n_jobs.max(1), end: time }
    }

    /// The next slice; `None` when the time is up or nothing is left to fuzz.
    pub(super) fn next(&mut self, now: Duration) -> Option<Slice> {
        let left = self.end.checked_sub(now).filter(|left| !left.is_zero())?;
        let n_open = self.targets.iter().filter(|entry| !entry.is_closed).count();
        // A target that is running comes second: two processes on one corpus find the same things twice.
        let (target, entry) = self
            .targets
            .iter()
            .enumerate()
            .filter(|(_, entry)| !entry.is_closed)
            .min_by_key(|(index, entry)| (entry.n_running, entry.used, *index))?;
        let time = if n_open <= self.n_jobs { left } else { self.slice_of(entry, n_open).min(left) };
        self.targets[target].n_running += 1;
        Some(Slice { target, time })
    }

    fn slice_of(&self, entry: &Entry, n_open: usize) -> Duration {
        let fair_share =
            self.end * u32::try_from(self.n_jobs).unwrap_or(1) / u32::try_from(n_open).unwrap_or(1);
        let wanted = entry.used.clamp(FIRST_SLICE, SLICE_MAX);
        match fair_share.checked_sub(entry.used) {
            Some(rest) if rest >= Duration::from_secs(1) => wanted.min(rest),
            // Its share is used up, so this time was given back by others.
            Some(_) | None => wanted.min(FIRST_SLICE),
        }
    }

    /// Takes note of what a slice really used.
    pub(super) fn give_back(&mut self, slice: &Slice, used: Duration) {
        let entry = &mut self.targets[slice.target];
        entry.n_running = entry.n_running.saturating_sub(1);
        // A slice that ended at once must still cost something, or its target would be taken again for ever.
        entry.used += used.max(Duration::from_millis(100));
    }

    /// Gives a target no more time.
    pub(super) fn close(&mut self, target: usize) {
        self.targets[target].is_closed = true;
    }
}

/// The seed of one process: a function of the campaign's seed, the target and the process's number.
pub(super) fn process_seed(seed: u32, target: usize, process: u64) -> u32 {
    let digest = InputId::of(format!("{seed}/{target}/{process}").as_bytes());
    // libFuzzer takes 0 as "choose one yourself".
    u32::from_str_radix(&digest.as_str()[..8], 16).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// Plays a campaign in which every slice is used up; returns each target's time.
    fn play(n_targets: usize, n_jobs: usize, time: u64) -> Vec<Duration> {
        let mut schedule = Schedule::new(n_targets, n_jobs, seconds(time));
        let mut running: Vec<(Duration, Slice)> = Vec::new();
        let mut now = Duration::ZERO;
        loop {
            while running.len() < n_jobs
                && let Some(slice) = schedule.next(now)
            {
                running.push((now + slice.time, slice));
            }
            let Some(next) = (0..running.len()).min_by_key(|&index| running[index].0) else { break };
            let (end, slice) = running.swap_remove(next);
            now = end;
            schedule.give_back(&slice, slice.time);
        }
        schedule.targets.iter().map(|entry| entry.used).collect()
    }

    #[test]
    fn every_target_gets_about_its_share() {
        for (n_targets, n_jobs, time) in [(20, 2, 60), (36, 2, 600), (5, 2, 3600), (3, 2, 100)] {
            let used = play(n_targets, n_jobs, time);
            let share = seconds(time) * u32::try_from(n_jobs).unwrap() / u32::try_from(n_targets).unwrap();
            for target in used {
                assert!(target >= share / 2, "{target:?} of {share:?} with {n_targets} targets");
            }
        }
    }

    #[test]
    fn few_targets_run_without_a_break() {
        let mut schedule = Schedule::new(2, 2, seconds(60));
        assert_eq!(schedule.next(seconds(0)), Some(Slice { target: 0, time: seconds(60) }));
        assert_eq!(schedule.next(seconds(0)), Some(Slice { target: 1, time: seconds(60) }));
    }

    #[test]
    fn a_spare_job_helps_with_a_target_that_runs_already() {
        let mut schedule = Schedule::new(1, 2, seconds(60));
        assert_eq!(schedule.next(seconds(0)).map(|slice| slice.target), Some(0));
        assert_eq!(schedule.next(seconds(1)), Some(Slice { target: 0, time: seconds(59) }));
    }

    #[test]
    fn a_closed_target_gets_no_more_time() {
        let mut schedule = Schedule::new(2, 1, seconds(60));
        schedule.close(0);
        assert_eq!(schedule.next(seconds(0)).map(|slice| slice.target), Some(1));
        schedule.close(1);
        assert_eq!(schedule.next(seconds(1)), None);
    }

    #[test]
    fn no_slice_begins_after_the_end() {
        assert_eq!(Schedule::new(3, 1, seconds(10)).next(seconds(10)), None);
    }

    #[test]
    fn processes_differ_and_campaigns_repeat() {
        assert_eq!(process_seed(1, 2, 3), process_seed(1, 2, 3));
        assert_ne!(process_seed(1, 2, 3), process_seed(1, 2, 4));
        assert_ne!(process_seed(1, 2, 3), process_seed(1, 3, 3));
    }
}
