//! `findings`: what is known, and what people decide about it.

use std::time::SystemTime;

use serde::Serialize;
use shakedown_core::finding::{Finding, FindingState};
use shakedown_core::target::TargetName;
use shakedown_core::text::{one_line, printable};
use shakedown_core::time::Timestamp;
use shakedown_report::view::{number, short_id};
use shakedown_store::Store;
use shakedown_store::findings::Lookup;

use crate::args::FindingsCommand;
use crate::config::Settings;
use crate::console::Console;
use crate::error::CliError;

/// How much of a log `show` prints.
const LOG_LINES_MAX: usize = 120;

pub(crate) fn run(settings: &Settings, console: &Console, command: &FindingsCommand) -> Result<u8, CliError> {
    let mut store = Store::open(&settings.state.value)?;
    match command {
        FindingsCommand::List { only } => list(&store, console, only)?,
        FindingsCommand::Show { id } => show(&store, console, &find(&store, id)?)?,
        FindingsCommand::Close { id, reason } => {
            decide(&mut store, console, id, FindingState::Fixed, reason)?;
        }
        FindingsCommand::Reopen { id, reason } => {
            decide(&mut store, console, id, FindingState::Known, reason)?;
        }
        FindingsCommand::Ignore { id, reason } => {
            decide(&mut store, console, id, FindingState::Ignored, reason)?;
        }
    }
    Ok(0)
}

/// The one finding that `id` abbreviates.
pub(crate) fn find(store: &Store, id: &str) -> Result<Finding, CliError> {
    match store.find(id)? {
        Lookup::One(finding) => Ok(*finding),
        Lookup::None => Err(CliError::UnknownFinding { id: id.to_owned() }),
        Lookup::Many(candidates) => Err(CliError::AmbiguousFinding {
            id: id.to_owned(),
            candidates: candidates.iter().map(|signature| short_id(&signature.to_string())).collect(),
        }),
    }
}

fn list(store: &Store, console: &Console, states: &[String]) -> Result<(), CliError> {
    let states: Vec<FindingState> = states
        .iter()
        .map(|word| word.parse().map_err(|_| CliError::UnknownState { word: word.clone() }))
        .collect::<Result<_, _>>()?;
    let findings = store.findings()?;
    let chosen: Vec<_> =
        findings.iter().filter(|finding| states.is_empty() || states.contains(&finding.state)).collect();
    for finding in &chosen {
        if console.is_json() {
            console.print(&(json(finding) + "\n"));
        } else {
            let targets: Vec<&str> = finding.targets.iter().map(TargetName::as_str).collect();
            console.print(&format!(
                "{}  {:<8}  {:<8}  {:>6}x  {:<20}  {}\n",
                short_id(&finding.signature.to_string()),
                finding.state,
                finding.severity,
                number(finding.n_crashes),
                one_line(&targets.join(","), 20),
                one_line(&finding.title, 100),
            ));
        }
    }
    if chosen.is_empty() {
        console.say("no findings");
    }
    Ok(())
}

fn show(store: &Store, console: &Console, finding: &Finding) -> Result<(), CliError> {
    if console.is_json() {
        console.print(&(json(finding) + "\n"));
        return Ok(());
    }
    let id = short_id(&finding.signature.to_string());
    let targets: Vec<&str> = finding.targets.iter().map(TargetName::as_str).collect();
    let mut page = format!("{id}  {}\n\n", one_line(&finding.title, 200));
    let mut field = |name: &str, value: String| page.push_str(&format!("  {name:<14} {value}\n"));
    field("signature", finding.signature.to_string());
    field("state", finding.state.to_string());
    field("severity", finding.severity.to_string());
    field("kind", finding.kind.to_string());
    if let Some(place) = &finding.place {
        field("place", one_line(place, 200));
    }
    field("targets", one_line(&targets.join(", "), 200));
    field(
        "seen",
        format!("{} times, {} to {}", number(finding.n_crashes), finding.first_seen, finding.last_seen),
    );
    field("runs", format!("{} to {}", finding.first_run, finding.last_run));
    field("reproduces", finding.reproducibility.to_string());
    match &finding.reproducer {
        Some(reproducer) => {
            let path = store.objects().path(&reproducer.input);
            field("input", format!("{} ({} bytes)", path.display(), number(reproducer.n_bytes)));
            field("again", format!("shakedown repro {id}"));
        }
        None => field("input", "lost: the process took it along when it died".to_owned()),
    }
    for entry in store.history(&finding.signature)? {
        field("history", format!("{} {}: {}", entry.at, entry.state, one_line(&entry.reason, 200)));
    }
    let log = store.objects().get(&finding.log)?;
    let log = String::from_utf8_lossy(&log);
    page.push_str("\nlog:\n");
    log.lines().take(LOG_LINES_MAX).for_each(|line| page.push_str(&format!("  {}\n", printable(line))));
    console.print(&page);
    Ok(())
}

fn decide(
    store: &mut Store,
    console: &Console,
    id: &str,
    state: FindingState,
    reason: &str,
) -> Result<(), CliError> {
    let finding = find(store, id)?;
    store.set_finding_state(&finding.signature, state, reason, Timestamp::from(SystemTime::now()))?;
    console.say(&format!(
        "{} is now {state}: {}",
        short_id(&finding.signature.to_string()),
        one_line(reason, 200)
    ));
    Ok(())
}

/// A finding for programs (docs/formats.md).
#[derive(Serialize)]
struct Line<'a> {
    signature: String,
    state: &'a str,
    severity: &'a str,
    kind: &'a str,
    title: &'a str,
    place: Option<&'a str>,
    targets: Vec<&'a str>,
    n_crashes: u64,
    first_seen: String,
    last_seen: String,
    n_reproduced: u32,
    n_tried: u32,
    input: Option<&'a str>,
    input_target: Option<&'a str>,
}

fn json(finding: &Finding) -> String {
    let line = Line {
        signature: finding.signature.to_string(),
        state: finding.state.as_str(),
        severity: finding.severity.as_str(),
        kind: finding.kind.as_str(),
        title: &finding.title,
        place: finding.place.as_deref(),
        targets: finding.targets.iter().map(TargetName::as_str).collect(),
        n_crashes: finding.n_crashes,
        first_seen: finding.first_seen.to_string(),
        last_seen: finding.last_seen.to_string(),
        n_reproduced: finding.reproducibility.n_same,
        n_tried: finding.reproducibility.n_tried,
        input: finding.reproducer.as_ref().map(|reproducer| reproducer.input.as_str()),
        input_target: finding.reproducer.as_ref().map(|reproducer| reproducer.target.as_str()),
    };
    serde_json::to_string(&line).expect("a finding has string keys and whole numbers only")
}
