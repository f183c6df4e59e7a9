//! `repro`: runs a finding's input again, alone, and shows the crash with a stack that a person can read.

use serde::Serialize;
use shakedown_core::crash::Crash;
use shakedown_core::finding::{self, Finding};
use shakedown_core::frame::Frame;
use shakedown_core::signature::Keys;
use shakedown_core::text::{one_line, printable};
use shakedown_exec::process::Launcher;
use shakedown_exec::replay::{self, Replayed};
use shakedown_exec::symbolize::Symbolizer;
use shakedown_report::view::{count, short_id};
use shakedown_store::Store;

use crate::command::findings::find;
use crate::config::Settings;
use crate::console::Console;
use crate::error::CliError;
use crate::stage::confirm::crash_of;
use crate::stage::prepare::target_alone;

pub(crate) fn run(
    launcher: &Launcher,
    settings: &Settings,
    console: &Console,
    id: &str,
) -> Result<u8, CliError> {
    let store = Store::open(&settings.state.value)?;
    let finding = find(&store, id)?;
    let short = short_id(&finding.signature.to_string());
    let Some(reproducer) = &finding.reproducer else { return Err(CliError::NoInput { id: short }) };
    // The object is checked against its name before a program gets it.
    store.objects().get(&reproducer.input)?;
    let input = store.objects().path(&reproducer.input);
    let target = target_alone(launcher, settings, console, reproducer.target.as_str()).map_err(|error| {
        let is_gone = matches!(error, CliError::UnknownTarget { .. });
        if is_gone { CliError::TargetGone { target: reproducer.target.to_string() } } else { error }
    })?;
    let scratch =
        tempfile::tempdir().map_err(|source| CliError::Folder { path: std::env::temp_dir(), source })?;
    let replayed = replay::confirm(launcher, &target.program, &target.limits, &input, scratch.path(), None)
        .map_err(|source| CliError::Target { target: target.name.to_string(), source })?;
    let by_hand = target.program.replay_by_hand(&input);
    let (page, outcome, title) = match replayed {
        Replayed::Passed => (format!("gone: {} runs through on this input now\n", target.name), "gone", None),
        Replayed::NotRun => ("stopped before the input was run\n".to_owned(), "not-run", None),
        Replayed::Died(death) => {
            let mut crash = crash_of(&target, None, &death);
            Symbolizer::new().resolve(&mut crash);
            let is_same = Keys::of(&crash).signature == finding.signature;
            let outcome = if is_same { "reproduces" } else { "different" };
            (crash_page(&finding, &crash), outcome, Some(finding::title(&crash)))
        }
    };
    if console.is_json() {
        let line = Line {
            event: "repro",
            signature: finding.signature.to_string(),
            target: target.name.as_str(),
            outcome,
            title,
            by_hand: by_hand.to_string(),
        };
        let line = serde_json::to_string(&line).expect("it has string keys and no numbers");
        console.print(&(line + "\n"));
    } else {
        console.print(&format!("{page}\nby hand: {by_hand}\n"));
    }
    Ok(0)
}

/// What came of it, for programs (docs/formats.md).
#[derive(Serialize)]
struct Line<'a> {
    event: &'static str,
    signature: String,
    target: &'a str,
    /// `reproduces`, `different`, `gone` or `not-run`.
    outcome: &'static str,
    title: Option<String>,
    by_hand: String,
}

fn crash_page(finding: &Finding, crash: &Crash) -> String {
    let signature = Keys::of(crash).signature;
    let short = short_id(&finding.signature.to_string());
    let mut page = if signature == finding.signature {
        format!("reproduces {short}: {}\n", one_line(&finding::title(crash), 200))
    } else {
        format!(
            "a different crash, {}, not {short}: {}\n",
            short_id(&signature.to_string()),
            one_line(&finding::title(crash), 200)
        )
    };
    if let Some(message) = crash.message.as_deref().filter(|message| message.lines().count() > 1) {
        message.lines().take(40).for_each(|line| page.push_str(&format!("  {}\n", printable(line))));
    }
    let frames = crash.crash_stack().map(|stack| stack.frames.as_slice()).unwrap_or_default();
    page.push_str(&stack_page(frames));
    page
}

/// Frames of the code under test, with those between them folded into a count.
fn stack_page(frames: &[Frame]) -> String {
    let mut page = String::new();
    let mut n_folded = 0;
    for (index, frame) in frames.iter().enumerate() {
        if !frame.in_app {
            n_folded += 1;
            continue;
        }
        fold(&mut page, &mut n_folded);
        let function = one_line(frame.function.as_deref().unwrap_or("?"), 160);
        let place = match (&frame.file, frame.line) {
            (Some(file), Some(line)) => format!("\n          {}:{line}", one_line(file, 200)),
            (Some(file), None) => format!("\n          {}", one_line(file, 200)),
            (None, _) => String::new(),
        };
        page.push_str(&format!("  #{index:<3} {function}{place}\n"));
    }
    fold(&mut page, &mut n_folded);
    page
}

fn fold(page: &mut String, n_folded: &mut usize) {
    if *n_folded > 0 {
        page.push_str(&format!(
            "       … {} of the runtime and libraries\n",
            count(*n_folded as u64, "frame")
        ));
        *n_folded = 0;
    }
}
