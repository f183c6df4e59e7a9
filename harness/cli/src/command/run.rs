//! `run` and `fuzz`: the stage, its report, its exit code.

use shakedown_exec::process::Launcher;
use shakedown_report::render::{json, terminal};
use shakedown_report::view::view;

use crate::config::Settings;
use crate::console::Console;
use crate::error::CliError;
use crate::pipeline;

pub(crate) fn run(launcher: &Launcher, settings: &Settings, console: &Console) -> Result<u8, CliError> {
    let run = pipeline::run(launcher, settings, console, &words())?;
    if console.is_json() {
        console.print(&(json::render(&run) + "\n"));
    } else {
        console.clear();
        console.print(&terminal::render(&view(&run), console.colour));
    }
    Ok(run.verdict.exit_status(&settings.fail_on.value))
}

/// The command line as it was typed, for the record.
fn words() -> String {
    let words = std::env::args_os().skip(1).map(|word| shakedown_exec::command::shell_word(&word));
    ["shakedown".to_owned()].into_iter().chain(words).collect::<Vec<_>>().join(" ")
}
