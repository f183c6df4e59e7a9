//! How events look to a person at a terminal (a line a target, redrawn in place) and in a log (a line now and then).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use shakedown_core::event::Event;
use shakedown_core::target::TargetName;
use shakedown_report::view::count;

use super::{progress_line, sentence};

/// A target that runs says so this often in a log.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// More lines than this do not fit beside what else is on a screen.
const LINES_MAX: usize = 40;

/// A display that is redrawn in place.
#[derive(Default)]
pub(super) struct Live {
    lines: MultiProgress,
    build: Option<ProgressBar>,
    targets: BTreeMap<TargetName, ProgressBar>,
}

impl Live {
    pub(super) fn hear(&mut self, event: &Event) {
        match event {
            Event::BuildStarted { package, .. } => {
                let line = self.lines.add(line());
                line.set_message(format!("building {package}"));
                self.build = Some(line);
            }
            Event::BuildProgress { package, unit, n_units } => {
                if let Some(line) = &self.build {
                    line.set_message(format!(
                        "building {package}: {}, {unit}",
                        count(*n_units as u64, "unit")
                    ));
                    line.tick();
                }
            }
            Event::TargetProgress { target, n_running, .. } => {
                if let Some(text) = progress_line(event) {
                    self.update(target, *n_running > 0, text);
                }
            }
            Event::BuildFinished { .. } => {
                if let Some(line) = self.build.take() {
                    line.finish_and_clear();
                }
            }
            Event::RunStarted { .. }
            | Event::Notice { .. }
            | Event::Replayed { .. }
            | Event::FindingSeen { .. } => {}
        }
        if let Some(text) = sentence(event) {
            self.say(&text);
        }
    }

    fn update(&mut self, target: &TargetName, is_running: bool, text: String) {
        if self.targets.len() >= LINES_MAX && !self.targets.contains_key(target) {
            return;
        }
        let lines = &self.lines;
        let bar = self.targets.entry(target.clone()).or_insert_with(|| lines.add(line()));
        bar.set_message(text);
        if is_running {
            bar.tick();
        }
    }

    pub(super) fn say(&self, text: &str) {
        // A terminal that cannot be written to has nobody before it.
        drop(self.lines.println(text));
    }

    pub(super) fn clear(&mut self) {
        self.targets.clear();
        self.build = None;
        drop(self.lines.clear());
        self.lines = MultiProgress::new();
    }
}

fn line() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::no_length().with_style(style)
}

/// Which events a log has room for.
#[derive(Default)]
pub(super) struct Pace {
    said_at: BTreeMap<TargetName, Instant>,
}

impl Pace {
    pub(super) fn sentence(&mut self, event: &Event) -> Option<String> {
        let Event::TargetProgress { target, n_running, .. } = event else { return sentence(event) };
        let now = Instant::now();
        let is_due = self.said_at.get(target).is_none_or(|at| now.duration_since(*at) >= LOG_EVERY);
        if !is_due || *n_running == 0 {
            return None;
        }
        // The first event of a process comes before it has done anything.
        let is_first = self.said_at.insert(target.clone(), now).is_none();
        if is_first { None } else { progress_line(event) }
    }
}
