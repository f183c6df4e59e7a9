//! The door through which programs are started, with the product itself as the guard and fakes as the programs.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use shakedown_exec::command::CommandSpec;
use shakedown_exec::interrupt::Interrupt;
use shakedown_exec::process::{Exit, Launcher, Limits, Outcome, ProcessError, ResourceLimits, Stream, Wish};
use shakedown_tests::fake;
use shakedown_tests::processes::{GRANDCHILD, MARK, Marked};
use shakedown_tests::project::Project;

/// The product's own hidden mode.
const GUARD_MODE: &str = "__guard";

/// What may pass between the end of a limit and our being told: the guard sweeps, and both cores may be busy.
const SLACK: Duration = Duration::from_secs(5);

/// What a watcher gets.
type Line<'a> = Option<(Stream, &'a [u8])>;

fn launcher() -> Launcher {
    launcher_with(Interrupt::default())
}

fn launcher_with(interrupt: Interrupt) -> Launcher {
    Launcher::new(fake("shakedown-under-test"), vec![GUARD_MODE.into()], interrupt)
}

/// A fake, and a mark on all that comes from it. `name` is the test's, so that no two tests mark alike.
fn marked(program: &str, name: &str) -> (CommandSpec, Marked) {
    let value = format!("processes-{name}-{}", std::process::id());
    (CommandSpec::new(fake(program)).env(MARK, value.as_str()), Marked::new(&value))
}

fn run(spec: &CommandSpec, limits: &Limits) -> Outcome {
    launcher().run(spec, limits).unwrap()
}

fn soon() -> Limits {
    Limits::within(Duration::from_secs(60))
}

#[test]
fn a_program_ends_with_its_status_and_its_words() {
    let outcome = run(&CommandSpec::new(fake("exits")).args(["0", "well"]), &soon());
    assert_eq!(outcome.exit, Exit::Success);
    assert_eq!(
        (outcome.stdout.to_text(), outcome.stderr.to_text()),
        ("out: 0 well\n".into(), "err: 0 well\n".into())
    );
}

#[test]
fn every_status_but_zero_is_a_failure() {
    for status in [1, 70, 71, 77, 134, 255] {
        let outcome = run(&CommandSpec::new(fake("exits")).arg(status.to_string()), &soon());
        assert_eq!(outcome.exit, Exit::Failure(status));
    }
}

#[test]
fn a_program_that_dies_of_a_signal_says_which() {
    assert_eq!(run(&CommandSpec::new(fake("aborts")), &soon()).exit, Exit::Signal(6));
}

#[test]
fn a_program_that_cannot_be_started_is_named_with_the_systems_reason() {
    for program in ["no-such-program", "/not/there", "/"] {
        let error = launcher().run(&CommandSpec::new(program), &soon()).unwrap_err();
        assert!(matches!(error, ProcessError::Start { .. }), "{error:?}");
        assert!(error.to_string().contains(program), "{error}");
    }
}

#[test]
fn a_guard_that_cannot_be_started_is_an_error_and_not_a_failed_program() {
    let launcher = Launcher::new("/not/there".into(), Vec::new(), Interrupt::default());
    let error = launcher.run(&CommandSpec::new(fake("exits")), &soon()).unwrap_err();
    assert!(matches!(error, ProcessError::Guard { .. }), "{error:?}");
}

#[test]
fn a_guard_that_is_none_is_an_error_too() {
    let launcher = Launcher::new(fake("exits"), vec!["0".into()], Interrupt::default());
    let error = launcher.run(&CommandSpec::new(fake("exits")), &soon()).unwrap_err();
    assert!(matches!(error, ProcessError::Guard { .. }), "{error:?}");
}

#[test]
fn standard_input_is_empty() {
    let outcome = run(&CommandSpec::new("cat"), &soon());
    assert_eq!((outcome.exit, outcome.stdout.n_bytes()), (Exit::Success, 0));
}

#[test]
fn a_flood_of_output_is_kept_at_both_ends_only() {
    let limits = Limits { head_bytes_max: 1000, tail_bytes_max: 1000, ..soon() };
    let outcome = run(&CommandSpec::new(fake("floods")).arg("64"), &limits);
    let text = outcome.stderr.to_text();
    assert_eq!(outcome.exit, Exit::Success);
    assert!(outcome.stderr.n_bytes() > 64 << 20);
    assert!(text.len() < 2100, "{}", text.len());
    assert!(text.starts_with("the first line\n") && text.ends_with("the last line\n"));
    assert!(text.contains("bytes left out"));
}

#[test]
fn a_program_that_hears_no_signal_is_killed_after_its_grace() {
    let (spec, marked) = marked("ignores-signals", "deadline");
    let limits = Limits { grace: Duration::from_millis(300), ..Limits::within(Duration::from_millis(300)) };
    let outcome = run(&spec, &limits);
    assert_eq!(outcome.exit, Exit::Timeout);
    assert!(outcome.wall >= Duration::from_millis(600), "{:?}", outcome.wall);
    assert!(outcome.wall < SLACK, "{:?}", outcome.wall);
    marked.assert_gone();
}

#[test]
fn a_program_that_hears_sigint_needs_no_grace() {
    let limits = Limits { grace: Duration::from_secs(60), ..Limits::within(Duration::from_millis(200)) };
    let outcome = run(&CommandSpec::new("sleep").arg("1000"), &limits);
    assert_eq!(outcome.exit, Exit::Timeout);
    assert!(outcome.wall < SLACK, "{:?}", outcome.wall);
}

#[test]
fn whoever_watches_can_end_a_program() {
    let (spec, marked) = marked("ignores-signals", "wish");
    let limits = Limits { grace: Duration::from_millis(100), ..soon() };
    let stop_at_first_line =
        |line: Line<'_>, _: Duration| if line.is_some() { Wish::Stop } else { Wish::Continue };
    let outcome = launcher().run_watched(&spec, &limits, stop_at_first_line).unwrap();
    assert_eq!(outcome.exit, Exit::Stopped);
    marked.assert_gone();
}

#[test]
fn an_interrupt_ends_every_program_of_a_launcher() {
    let interrupt = Interrupt::default();
    let launcher = launcher_with(interrupt.clone());
    let limits = Limits { grace: Duration::from_millis(100), ..soon() };
    std::thread::scope(|scope| {
        for name in ["interrupt-one", "interrupt-two"] {
            let (spec, marked) = marked("ignores-signals", name);
            let (launcher, limits, interrupt) = (&launcher, &limits, &interrupt);
            scope.spawn(move || {
                let raise = |line: Line<'_>, _: Duration| {
                    if line.is_some() && name == "interrupt-one" {
                        interrupt.raise();
                    }
                    Wish::Continue
                };
                assert_eq!(launcher.run_watched(&spec, limits, raise).unwrap().exit, Exit::Stopped);
                marked.assert_gone();
            });
        }
    });
}

#[test]
fn the_second_interrupt_waits_for_no_grace() {
    let interrupt = Interrupt::default();
    let (spec, marked) = marked("ignores-signals", "twice");
    let limits = Limits { grace: Duration::from_secs(1000), ..soon() };
    let raise_twice = |line: Line<'_>, _: Duration| {
        if line.is_some() {
            interrupt.raise();
            interrupt.raise();
        }
        Wish::Continue
    };
    let outcome = launcher_with(interrupt.clone()).run_watched(&spec, &limits, raise_twice).unwrap();
    assert!(outcome.wall < SLACK, "{:?}", outcome.wall);
    marked.assert_gone();
}

#[test]
fn a_grandchild_does_not_outlive_a_program_that_ends() {
    let (spec, marked) = marked("leaves-a-grandchild", "end");
    let begun = Instant::now();
    let outcome = run(&spec.arg("end"), &soon());
    assert_eq!(outcome.exit, Exit::Success, "{}", outcome.stderr.to_text());
    // We are told after the sweep, so nothing is left at once.
    assert_eq!(marked.alive(), Vec::<String>::new());
    assert!(begun.elapsed() < SLACK, "{:?}", begun.elapsed());
}

#[test]
fn a_grandchild_does_not_outlive_a_deadline() {
    let (spec, marked) = marked("leaves-a-grandchild", "late");
    let mut was_there = false;
    let look = |line: Line<'_>, _: Duration| {
        was_there |= line.is_some() && marked.alive().iter().any(|command| command.contains(GRANDCHILD));
        Wish::Continue
    };
    let limits = Limits { grace: Duration::from_millis(100), ..Limits::within(Duration::from_secs(2)) };
    let outcome = launcher().run_watched(&spec.arg("stay"), &limits, look).unwrap();
    assert_eq!(outcome.exit, Exit::Timeout);
    assert_eq!(marked.alive(), Vec::<String>::new());
    assert!(was_there, "there was no grandchild to begin with");
}

#[test]
fn a_grandchild_does_not_outlive_a_harness_that_is_killed() {
    let project = Project::new().target("daemons", "fuzzer-forks");
    let started = project.shakedown(["fuzz", "--for", "60s"]).start();
    let marked = started.marked();
    marked.wait_for(GRANDCHILD);
    started.kill();
    started.finish().was_killed();
    marked.assert_gone();
}

/// The harness can die between the start of a guard and that of its program.
#[test]
#[expect(clippy::disallowed_methods, reason = "a guard without a harness is no case for the harness")]
fn a_guard_whose_harness_is_gone_before_the_program_has_begun_leaves_nobody() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    drop(ours);
    let value = format!("processes-orphaned-{}", std::process::id());
    let mut guard = Command::new(fake("shakedown-under-test"));
    guard.args([GUARD_MODE, "-,-"]).arg(fake("leaves-a-grandchild")).arg("stay").env(MARK, &value);
    guard.stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).stderr(Stdio::null());
    guard.status().unwrap();
    // The guard sweeps before it ends.
    assert_eq!(Marked::new(&value).alive(), Vec::<String>::new());
}

#[test]
fn a_file_larger_than_its_limit_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let resources = ResourceLimits { file_bytes_max: Some(1 << 20), ..ResourceLimits::default() };
    let file = folder.path().join("large");
    let spec = CommandSpec::new("dd")
        .args(["if=/dev/zero", "bs=1M", "count=8"])
        .arg(format!("of={}", file.display()));
    let outcome = run(&spec, &Limits { resources, ..soon() });
    assert!(!outcome.exit.is_success(), "{:?}", outcome.exit);
    assert_eq!(std::fs::metadata(file).unwrap().len(), 1 << 20);
}
