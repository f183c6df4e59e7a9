//! `report`: any report again, from the stored run.

use shakedown_report::render::{json, terminal};
use shakedown_report::view::view;
use shakedown_store::Store;

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
