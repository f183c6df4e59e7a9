//! The only place that prints: data to standard output, talk to standard error.

mod live;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use shakedown_core::event::{Event, Listener};
use shakedown_core::finding::Sighted;
use shakedown_core::text::{one_line, printable};
use shakedown_core::time::words;
use shakedown_exec::interrupt::{Interrupt, Urgency};
use shakedown_report::render::terminal::Colour;
use shakedown_report::view::{count, number, short_id};

use self::live::Live;
use crate::args::{ColorChoice, GlobalArgs};
use crate::config::env::{self, Variables};
use crate::error::CliError;

/// The console of this process.
pub(crate) struct Console {
    mode: Mode,
    /// Colour of standard output.
    pub(crate) colour: Colour,
    stderr_colour: Colour,
    started_at: Instant,
}

/// Who is listening.
enum Mode {
    /// A person at a terminal that can move its cursor.
    Live(Box<Mutex<Live>>),
    /// A log file.
    Plain(Mutex<live::Pace>),
    /// A program.
    Json,
    /// Nobody, until the end.
    Quiet,
}

impl Console {
    pub(crate) fn new(global: &GlobalArgs, variables: &Variables) -> Self {
        let is_dumb = variables.text(env::TERM).is_some_and(|term| term == "dumb");
        let is_unwanted = is_dumb || variables.get(env::NO_COLOR).is_some();
        let colour = |is_terminal: bool| {
            let is_on = match global.color {
                ColorChoice::Always => true,
                ColorChoice::Never => false,
                ColorChoice::Auto => is_terminal && !is_unwanted,
            };
            if is_on { Colour::On } else { Colour::Off }
        };
        let can_move = io::stderr().is_terminal() && !is_dumb && global.color != ColorChoice::Never;
        let mode = match (global.json, global.quiet, can_move) {
            (true, _, _) => Mode::Json,
            (false, true, _) => Mode::Quiet,
            (false, false, true) => Mode::Live(Box::default()),
            (false, false, false) => Mode::Plain(Mutex::default()),
        };
        Self {
            mode,
            colour: colour(io::stdout().is_terminal()),
            stderr_colour: colour(io::stderr().is_terminal()),
            started_at: Instant::now(),
        }
    }

    /// Whether the listener is a program.
    pub(crate) fn is_json(&self) -> bool {
        matches!(self.mode, Mode::Json)
    }

    /// Data: the result of a command.
    pub(crate) fn print(&self, text: &str) {
        self.clear();
        // A reader that has left (`| head`) is no error.
        let mut stdout = io::stdout().lock();
        let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    }

    /// Talk: a sentence for whoever watches.
    pub(crate) fn say(&self, text: &str) {
        match &self.mode {
            Mode::Live(live) => live.lock().unwrap_or_else(PoisonError::into_inner).say(text),
            Mode::Plain(_) => write_stderr(&format!("[{:>7}] {text}", words(self.started_at.elapsed()))),
            Mode::Json | Mode::Quiet => {}
        }
    }

    /// The whole chain of an error, once, with a hint where there is something to do.
    pub(crate) fn say_error(&self, error: &CliError) {
        self.clear();
        let label = self.stderr_colour.paint("1;31", "error:");
        write_stderr(&format!("{label} {}", printable(&error.to_string())));
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            write_stderr(&format!("  caused by: {}", printable(&error.to_string())));
            cause = error.source();
        }
        if let Some(hint) = error.hint() {
            write_stderr(&format!("\n{} {}", self.stderr_colour.paint("1;36", "hint:"), printable(&hint)));
        }
    }

    /// Answers a signal.
    pub(crate) fn say_interrupt(interrupt: &Interrupt) {
        match interrupt.urgency() {
            Urgency::None => {}
            Urgency::Finish => write_stderr("\nfinishing and reporting; Ctrl-C again stops at once"),
            Urgency::Now => write_stderr("\nstopping at once"),
        }
    }

    /// Takes the live display away.
    pub(crate) fn clear(&self) {
        if let Mode::Live(live) = &self.mode {
            live.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }
}

impl Listener for Console {
    fn hear(&self, event: Event) {
        match &self.mode {
            Mode::Json => {
                let line =
                    serde_json::to_string(&event).expect("events have string keys and finite numbers only");
                self.print(&(line + "\n"));
            }
            Mode::Live(live) => live.lock().unwrap_or_else(PoisonError::into_inner).hear(&event),
            Mode::Plain(pace) => {
                let sentence = pace.lock().unwrap_or_else(PoisonError::into_inner).sentence(&event);
                if let Some(sentence) = sentence {
                    self.say(&sentence);
                }
            }
            Mode::Quiet => {}
        }
    }
}

/// Clap's own words: help and version are data, complaints are talk.
pub(crate) fn say_usage(usage: &clap::Error) -> ExitCode {
    // There is nobody to tell when the terminal is gone.
    drop(usage.print());
    if usage.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

fn write_stderr(line: &str) {
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// An event as a sentence; `None` for those that only move a display.
fn sentence(event: &Event) -> Option<String> {
    Some(match event {
        Event::RunStarted { run, budget, targets } => {
            let budget = budget.map(|budget| format!(", at most {}", words(budget))).unwrap_or_default();
            format!("run {run}: {}{budget}", count(targets.len() as u64, "target"))
        }
        Event::Notice { text } => format!("note: {}", printable(text)),
        Event::BuildStarted { package, n_targets } => {
            format!("building {} ({})", one_line(package, 60), count(*n_targets as u64, "target"))
        }
        Event::BuildFinished { package, n_built, n_failed, wall } => {
            let failed = if *n_failed == 0 { String::new() } else { format!(", {n_failed} failed") };
            let built = count(*n_built as u64, "target");
            format!("built {}: {built}{failed} in {}", one_line(package, 60), words(*wall))
        }
        Event::Replayed { target, n_inputs, n_crashed } => {
            let inputs = count(*n_inputs as u64, "input");
            format!("replayed {inputs} of {}: {n_crashed} crashed", one_line(target.as_str(), 60))
        }
        Event::FindingSeen { signature, target, title, sighted } => {
            let word = match sighted {
                Sighted::New => "NEW",
                Sighted::Reopened => "BACK",
                Sighted::Known => "known",
                Sighted::Ignored => "ignored",
            };
            let (target, title) = (one_line(target.as_str(), 60), one_line(title, 160));
            format!("{word} {} in {target}: {title}", short_id(signature))
        }
        Event::BuildProgress { .. } | Event::TargetProgress { .. } => return None,
    })
}

/// A target's progress as a line.
fn progress_line(event: &Event) -> Option<String> {
    let Event::TargetProgress {
        target,
        executions,
        executions_per_second,
        coverage,
        corpus_inputs,
        n_crashes,
        time,
        ..
    } = event
    else {
        return None;
    };
    // The first eighty columns hold what is watched for; a narrow terminal cuts off the rest.
    Some(format!(
        "{:<17} {:>6} {:>9}/s  cov {:>6}  corpus {:>6}  crashes {:>6}  {} execs",
        one_line(target.as_str(), 17),
        words(*time),
        rate(*executions_per_second),
        number(*coverage),
        number(*corpus_inputs),
        number(*n_crashes),
        number(*executions),
    ))
}

/// A rate without its fraction.
fn rate(per_second: f64) -> String {
    Duration::try_from_secs_f64(per_second).map_or_else(|_| "?".to_owned(), |rate| number(rate.as_secs()))
}
