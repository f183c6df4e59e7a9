//! `repro`: runs a finding's input again, alone, and shows the crash with a stack that a person can read.

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
    let page = match replayed {
        Replayed::Passed => format!("gone: {} runs through on this input now\n", target.name),
        Replayed::NotRun => "stopped before the input was run\n".to_owned(),
        Replayed::Died(death) => {
            let mut crash = crash_of(&target, None, &death);
            Symbolizer::new().resolve(&mut crash);
            crash_page(&finding, &crash)
        }
    };
    console.print(&format!("{page}\nby hand: {by_hand}\n"));
    Ok(0)
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
