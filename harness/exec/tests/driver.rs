//! The driver, inside a target that fails in every way on demand (`harness/driver/fixture`), built as we build targets.
//!
//! Needs a C++ compiler and libfuzzer-sys from the registry; the build is kept in the target directory.
#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests as well")]

mod support;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use shakedown_exec::command::CommandSpec;
use shakedown_exec::driver::crash::{EndKind, Executed};
use shakedown_exec::driver::fork_server::ForkServer;
use shakedown_exec::driver::merge::merge;
use shakedown_exec::driver::minimise::{Effort, MinimiseEnd, minimise};
use shakedown_exec::driver::replay::{Listing, Replayed, replay};
use shakedown_exec::driver::{CaughtPanics, DriverError, Limits, fuzzing_on, notes};
use shakedown_exec::engine::libfuzzer::Program;
use shakedown_exec::process;

use support::{Scratch, launcher, target};

fn limits() -> Limits {
    Limits { time: Duration::from_secs(3), memory_mb: 128, caught_panics: CaughtPanics::Ignored }
}

fn ends(inputs: &[&str], limits: Limits) -> Vec<Executed> {
    let (launcher, program) = (launcher(), target("kinds"));
    let mut server = ForkServer::start(&launcher, &program, limits).unwrap();
    assert!(server.catches_panics());
    inputs.iter().map(|input| server.run(input.as_bytes()).unwrap()).collect()
}

fn run(spec: &CommandSpec) -> process::Outcome {
    launcher().run(spec, &process::Limits::within(Duration::from_secs(100))).unwrap()
}

#[test]
fn each_way_to_fail_is_seen_as_what_it_is() {
    let expected = [
        ("?", EndKind::Passed),
        (".", EndKind::Rejected),
        ("p", EndKind::Panic),
        ("i", EndKind::Panic),
        ("o", EndKind::Panic),
        ("u", EndKind::Panic),
        ("r", EndKind::Panic),
        ("c", EndKind::Passed),
        ("q", EndKind::Panic),
        ("E", EndKind::Panic),
        ("d", EndKind::Panic),
        ("t", EndKind::ThreadPanic),
        ("T", EndKind::Panic),
        ("k", EndKind::Panic),
        ("K", EndKind::Passed),
        ("a", EndKind::AllocationFailure),
        ("g", EndKind::AllocationFailure),
        ("b", EndKind::Abort),
        ("s", EndKind::Signal),
        ("S", EndKind::StackOverflow),
        ("Z", EndKind::Killed),
        ("h", EndKind::Timeout),
        ("e", EndKind::Exit),
        ("x", EndKind::Exit),
        ("wxyz", EndKind::OverwritesInput),
    ];
    let inputs: Vec<&str> = expected.iter().map(|(input, _)| *input).collect();
    let ended = ends(&inputs, limits());
    let seen: Vec<(&str, EndKind)> =
        inputs.iter().zip(&ended).map(|(input, executed)| (*input, executed.end)).collect();
    assert_eq!(seen, expected);
}

#[test]
fn a_panic_has_its_message_place_and_stack_and_the_log_has_it_too() {
    let ended = ends(&["pxyz"], limits());
    let crash = ended[0].crash.as_ref().unwrap();
    assert_eq!(crash.message, "planted 3");
    assert!(crash.location.as_ref().unwrap().file.ends_with("kinds.rs"), "{crash:?}");
    assert!(String::from_utf8_lossy(&crash.log).contains("panicked at"), "{crash:?}");
    let module = crash.stack[0].module.as_deref().unwrap();
    assert_eq!(module.file_name().unwrap(), "kinds");
    // The boundary is the last frame: nothing of the driver's differs between its modes.
    assert!((5..40).contains(&crash.stack.len()), "{crash:?}");
}

#[test]
fn the_first_of_two_panics_is_the_reason_and_one_that_was_caught_is_not() {
    let ended = ends(&["d", "E", "q"], limits());
    let messages: Vec<&str> =
        ended.iter().map(|executed| executed.crash.as_ref().unwrap().message.as_str()).collect();
    assert_eq!(messages, ["first", "out of C", "not caught"]);
}

#[test]
fn a_caught_panic_is_a_finding_only_on_request() {
    let asked = Limits { caught_panics: CaughtPanics::Findings, ..limits() };
    assert_eq!(ends(&["c"], asked)[0].end, EndKind::CaughtPanic);
    assert_eq!(ends(&["c"], limits())[0].end, EndKind::Passed);
}

#[test]
fn a_fresh_process_says_the_same() {
    let inputs = ["?", ".", "p", "i", "o", "u", "E", "d", "t", "k", "K", "b", "s", "e", "wxyz", "4"];
    let (program, scratch) = (target("kinds"), Scratch::new());
    let fresh: Vec<bool> = scratch
        .files(&inputs)
        .into_iter()
        .map(|file| {
            let spec = program.command.clone().arg(file).env("RUST_BACKTRACE", "0");
            run(&spec).exit.is_success()
        })
        .collect();
    let forked: Vec<bool> = ends(&inputs, limits()).iter().map(|executed| !executed.end.is_bad()).collect();
    assert_eq!(forked, fresh);
}

#[test]
fn hostile_inputs_are_only_themselves_and_the_server_goes_on() {
    let hostile = ["1", "2", "3", "4", "6", "7", "8", "9"];
    let inputs: Vec<&str> = hostile.iter().flat_map(|input| [*input, "p"]).collect();
    let started_at = Instant::now();
    for pair in ends(&inputs, limits()).chunks(2) {
        assert!(matches!(pair[0].end, EndKind::Passed | EndKind::Timeout), "{:?}", pair[0]);
        assert!(pair[0].crash.as_ref().is_none_or(|crash| crash.log.len() <= 64 << 10));
        assert_eq!(pair[1].crash.as_ref().unwrap().message, "planted 0");
    }
    assert!(started_at.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_target_that_kills_its_server_is_killed_itself_and_nothing_else() {
    let ended = ends(&["5", "p"], limits());
    assert_eq!(ended[0].end, EndKind::Killed);
    assert_eq!(ended[1].end, EndKind::Panic);
}

#[test]
fn replay_names_each_culprit_and_goes_on_after_it() {
    let inputs = ["?", "p", "b", "?", "s", "x", "1", "?", "2", "?", "6", "?", "5", "?", "S", "?", "."];
    let (launcher, program, scratch) = (launcher(), target("kinds"), Scratch::new());
    let files = scratch.files(&inputs);
    let replayed = replay(&launcher, &program, limits(), &files, Listing::Count, None).unwrap();
    let ends: Vec<EndKind> = replayed
        .iter()
        .map(|replayed| match replayed {
            Replayed::Executed(executed) => executed.end,
            Replayed::Unreadable | Replayed::NotRun => panic!("all were run: {replayed:?}"),
        })
        .collect();
    for (input, end) in inputs.iter().zip(&ends) {
        match *input {
            "?" => assert_eq!(*end, EndKind::Passed, "an innocent is blamed: {ends:?}"),
            "." => assert_eq!(*end, EndKind::Rejected),
            "p" => assert_eq!(*end, EndKind::Panic),
            "b" => assert_eq!(*end, EndKind::Abort),
            "s" => assert_eq!(*end, EndKind::Signal),
            "S" => assert_eq!(*end, EndKind::StackOverflow),
            "x" => assert_eq!(*end, EndKind::Exit),
            hostile => assert!(end.is_bad() || *end == EndKind::Passed, "{hostile}: {end:?}"),
        }
    }
}

#[test]
fn an_unreadable_file_and_a_deadline_are_told_apart() {
    let (launcher, program) = (launcher(), target("kinds"));
    let missing = [PathBuf::from("/does/not/exist")];
    let replayed = replay(&launcher, &program, limits(), &missing, Listing::None, None).unwrap();
    assert_eq!(replayed, [Replayed::Unreadable]);
    let over = Some(Instant::now());
    let replayed = replay(&launcher, &program, limits(), &missing, Listing::None, over).unwrap();
    assert_eq!(replayed, [Replayed::NotRun]);
}

#[test]
fn a_merge_keeps_all_features_whatever_the_number_of_shards() {
    let (launcher, program, scratch) = (launcher(), target("kinds"), Scratch::new());
    let files = scratch.files(&["?", "?longer", "c", "c longer", "K", "p", ".", "t"]);
    let one = merge(&launcher, &program, limits(), files.clone(), NonZeroUsize::MIN, None).unwrap();
    let two = merge(&launcher, &program, limits(), files, NonZeroUsize::new(2).unwrap(), None).unwrap();
    assert_eq!(one.kept, two.kept);
    assert_eq!(one.n_features, two.n_features);
    assert_eq!((one.bad.len(), one.not_run.len()), (2, 0));
    assert!(!one.kept.iter().any(|path| std::fs::read(path).unwrap().ends_with(b"longer")), "{one:?}");
}

#[test]
fn a_corpus_has_the_same_coverage_as_in_a_build_without_us() {
    let scratch = Scratch::new();
    scratch.files(&["?", "?longer", "K", "K and more", ".", "4", "1"]);
    let coverage = |program: CommandSpec| {
        let outcome = run(&program.args(["-runs=0", "-seed=1"]).arg(scratch.path("")));
        let said = String::from_utf8_lossy(&outcome.stderr.to_bytes()).into_owned();
        said.lines().find(|line| line.contains("INITED")).unwrap().split(" exec/s").next().unwrap().to_owned()
    };
    let plain = coverage(CommandSpec::new(support::plain_target("kinds")));
    assert_eq!(coverage(target("kinds").command), plain);
}

#[test]
fn the_smallest_input_fails_where_the_input_failed() {
    let (launcher, program) = (launcher(), target("kinds"));
    let mut server = ForkServer::start(&launcher, &program, limits()).unwrap();
    for (input, smallest) in [("uuuuuuuu", "u"), ("bbbbbbbbbbbb", "b"), ("wxxxxxxxxx", "wx")] {
        let minimised = minimise(&mut server, input.as_bytes(), Effort::default()).unwrap().unwrap();
        assert_eq!(String::from_utf8_lossy(&minimised.input), smallest);
        assert_eq!(minimised.end, MinimiseEnd::Smallest);
        assert_eq!(server.run(smallest.as_bytes()).unwrap().crash.unwrap().site, minimised.crash.site);
    }
    assert!(minimise(&mut server, b"?", Effort::default()).unwrap().is_none());
}

#[test]
fn fuzzing_goes_on_after_a_panic_and_notes_it() {
    let scratch = Scratch::new();
    let (notes_folder, corpus, state) =
        (scratch.folder("notes"), scratch.folder("corpus"), scratch.path("state"));
    let spec = target("structured").command.arg(&corpus).args(["-runs=300000", "-seed=1", "-timeout=5"]);
    let spec = fuzzing_on(spec, &notes_folder, &state, &limits());
    let outcome = run(&spec);
    assert!(outcome.exit.is_success(), "{}", outcome.stderr.last_lines(20));
    let notes = notes::read(&notes_folder).unwrap();
    assert!((1..=3).contains(&notes.len()), "{notes:?}");
    assert!(notes[0].crash.message.contains("planted in Pair"), "{notes:?}");
    assert_eq!(notes[0].input[1], b'!');
    let state = notes::state(&state).unwrap().unwrap();
    assert!(state.n_panics > 3 && state.n_executions >= 300_000, "{state:?}");
    assert_eq!(state.current, None);
}

#[test]
fn after_a_death_the_state_still_has_the_culprit() {
    let scratch = Scratch::new();
    let (notes_folder, corpus, state) =
        (scratch.folder("notes"), scratch.folder("corpus"), scratch.path("state"));
    std::fs::write(corpus.join("seed"), "xyz").unwrap();
    let spec =
        fuzzing_on(target("kinds").command.arg(&corpus).arg("-runs=10"), &notes_folder, &state, &limits());
    // It calls _exit(0), past libFuzzer's handlers: the status says that all is well.
    assert!(run(&spec).exit.is_success());
    assert_eq!(notes::state(&state).unwrap().unwrap().current.as_deref(), Some(b"xyz".as_slice()));
}

#[test]
fn a_stack_overflow_without_a_sanitizer_is_kept() {
    let scratch = Scratch::new();
    let (notes_folder, corpus, artifacts) =
        (scratch.folder("notes"), scratch.folder("corpus"), scratch.folder("a"));
    std::fs::write(corpus.join("seed"), "Sxyz").unwrap();
    let prefix = format!("-artifact_prefix={}/", artifacts.display());
    let spec = target("kinds").command.arg(&corpus).arg(prefix);
    let outcome = run(&fuzzing_on(spec, &notes_folder, &scratch.path("state"), &limits()));
    assert_eq!(outcome.exit.code(), Some(77), "{}", outcome.stderr.last_lines(20));
    let artifact = std::fs::read_dir(&artifacts).unwrap().next().unwrap().unwrap().path();
    assert_eq!(std::fs::read(artifact).unwrap(), b"Sxyz");
}

#[test]
fn a_copy_that_does_not_compile_gives_way_to_the_original() {
    let scratch = Scratch::new();
    let broken = scratch.path("lib.rs");
    std::fs::write(&broken, "compile_error!(\"a libfuzzer-sys of the future\");").unwrap();
    let refusal = support::build_libfuzzer_sys(broken, &scratch.folder("target"));
    assert!(refusal.unwrap().contains("a libfuzzer-sys of the future"));
}

#[test]
fn the_driver_itself_is_clean_under_sanitizers() {
    let scratch = Scratch::new();
    let (launcher, program) = (launcher(), support::sanitized_target(&scratch.folder("build")));
    let inputs = ["?", ".", "b", "e", "x", "h", "H", "?"];
    let expected = [
        EndKind::Passed,
        EndKind::Rejected,
        EndKind::Abort,
        EndKind::Exit,
        EndKind::Exit,
        EndKind::Timeout,
        EndKind::Sanitizer,
        EndKind::Passed,
    ];
    let limits = Limits { memory_mb: 0, ..limits() };
    let replayed = replay(&launcher, &program, limits, &scratch.files(&inputs), Listing::All, None).unwrap();
    let mut server = ForkServer::start(&launcher, &program, limits).unwrap();
    assert!(server.has_sanitizer() && !server.catches_panics());
    for ((input, expected), replayed) in inputs.iter().zip(expected).zip(replayed) {
        let forked = server.run(input.as_bytes()).unwrap();
        assert_eq!(forked.end, expected, "{input}: {forked:?}");
        assert!(matches!(replayed, Replayed::Executed(executed) if executed.end == expected), "{input}");
        let log = forked.crash.map_or(Vec::new(), |crash| crash.log);
        let is_planted = expected == EndKind::Sanitizer;
        assert_eq!(String::from_utf8_lossy(&log).contains("ERROR: AddressSanitizer"), is_planted, "{input}");
    }
    let minimised = minimise(&mut server, b"bbbbbbbbbbbb", Effort::default()).unwrap().unwrap();
    assert_eq!(minimised.input, b"b");
    let corpus = scratch.folder("corpus");
    std::fs::write(corpus.join("seed"), "?").unwrap();
    // No mutations: one of them could be a planted failure.
    let spec = program.command.arg("-runs=0").arg(corpus);
    let outcome = run(&fuzzing_on(spec, &scratch.folder("notes"), &scratch.path("state"), &limits));
    assert!(outcome.exit.is_success(), "{}", outcome.stderr.last_lines(30));
}

#[test]
fn a_program_without_our_driver_is_refused_by_name() {
    let program = Program { command: CommandSpec::new("true"), ..target("kinds") };
    let launcher = launcher();
    let error = ForkServer::start(&launcher, &program, limits()).err().unwrap();
    assert!(matches!(error, DriverError::NoDriver { .. }), "{error}");
    let missing = Program { command: CommandSpec::new("/no/such/program"), ..target("kinds") };
    let error = ForkServer::start(&launcher, &missing, limits()).err().unwrap();
    assert!(error.to_string().contains("/no/such/program"), "{error}");
}
