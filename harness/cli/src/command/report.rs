//! `report`: any report again, from the stored run.

use serde::Serialize;
use shakedown_report::render::{json, terminal};
use shakedown_report::view::view;
use shakedown_store::Store;
use shakedown_store::runs::RunSummary;

use crate::args::ReportFormat;
use crate::config::Settings;
use crate::console::Console;
use crate::error::CliError;

pub(crate) fn run(
    settings: &Settings,
    console: &Console,
    prefix: &str,
    format: ReportFormat,
    is_list: bool,
) -> Result<u8, CliError> {
    let store = Store::open(&settings.state.value)?;
    if is_list {
        for run in store.runs()? {
            if console.is_json() {
                console.print(&(json_line(&run) + "\n"));
                continue;
            }
            let end = if run.has_ended { "" } else { "  (did not end: killed, or still running)" };
            console.print(&format!("{}  {}  {}{end}\n", run.id, run.started_at, run.command));
        }
        return Ok(0);
    }
    let run = store.run(prefix)?.ok_or_else(|| CliError::NoRun { prefix: prefix.to_owned() })?;
    let format = if console.is_json() { ReportFormat::Json } else { format };
    console.print(&match format {
        ReportFormat::Terminal => terminal::render(&view(&run), console.colour),
        ReportFormat::Json => json::render(&run) + "\n",
    });
    Ok(0)
}

/// A run's line for programs (docs/formats.md).
#[derive(Serialize)]
struct Line<'a> {
    run: &'a str,
    started_at: String,
    command: &'a str,
    has_ended: bool,
}

fn json_line(run: &RunSummary) -> String {
    let line = Line {
        run: run.id.as_str(),
        started_at: run.started_at.to_string(),
        command: &run.command,
        has_ended: run.has_ended,
    };
    serde_json::to_string(&line).expect("a run's line has string keys and no numbers")
}
