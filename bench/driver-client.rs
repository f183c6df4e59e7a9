//! The driver's client as a program of its own, for `bench/driver-*.sh`: it does one thing once and says how long it
//! took, so that a script can alternate it with cargo-fuzz. It is also its own guard, and cargo's compiler wrapper.
#![allow(missing_docs, reason = "an example has no interface")]
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measuring program prints, and reads its arguments"
)]

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use shakedown_exec::build::flags::Sanitizer;
use shakedown_exec::command::CommandSpec;
use shakedown_exec::driver::fork_server::ForkServer;
use shakedown_exec::driver::merge::merge;
use shakedown_exec::driver::minimise::{Effort, minimise};
use shakedown_exec::driver::wrapper::{
    INNER_VARIABLE, ORIGINAL_VARIABLE, RUNTIME_VARIABLE, SUBSTITUTE_VARIABLE, Substitution,
};
use shakedown_exec::driver::{Limits, notes, runtime, wrapper};
use shakedown_exec::engine::libfuzzer::Program;
use shakedown_exec::interrupt::Interrupt;
use shakedown_exec::libfuzzer::{ArchiveRequest, ToolOutcome, archive};
use shakedown_exec::process::{self, Launcher, guard};

type Failure = Box<dyn std::error::Error>;

const USAGE: &str = "archive SOURCES CACHE | runtime LIB_RS CACHE | triage PROGRAM FILE.. | merge PROGRAM JOBS FOLDER [OUT] \
                     | minimise PROGRAM FILE.. | notes FOLDER";

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    // The guard first: the guard of a build has the wrapper's variables in its environment too.
    let is_guard = args.first().is_some_and(|mode| mode == "guard");
    if let Some(original) = std::env::var_os(ORIGINAL_VARIABLE).filter(|_| !is_guard) {
        let path = |variable| PathBuf::from(std::env::var_os(variable).unwrap_or_default());
        let (substitute, runtime) = (path(SUBSTITUTE_VARIABLE), path(RUNTIME_VARIABLE));
        let sources = runtime::Sources { original: original.into(), substitute, runtime };
        return wrapper::run(&Substitution { sources, inner: std::env::var_os(INNER_VARIABLE) }, &args);
    }
    let outcome = match args.split_first() {
        Some((mode, rest)) if mode == "guard" => guard::run(rest.iter().cloned()).map_err(Failure::from),
        Some((mode, rest)) => run(&mode.to_string_lossy(), rest),
        None => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {}", shakedown_exec::chain(&*error));
            ExitCode::FAILURE
        }
    }
}

fn run(mode: &str, args: &[OsString]) -> Result<(), Failure> {
    let launcher = Launcher::new(std::env::current_exe()?, vec!["guard".into()], Interrupt::default());
    match (mode, args) {
        ("archive", [sources, cache]) => print_archive(&launcher, Path::new(sources), Path::new(cache)),
        ("runtime", [lib_rs, cache]) => {
            // As a script sets it.
            let sources = runtime::prepare(Path::new(lib_rs), Path::new(cache))?;
            println!("{ORIGINAL_VARIABLE}={}", sources.original.display());
            println!("{SUBSTITUTE_VARIABLE}={}", sources.substitute.display());
            println!("{RUNTIME_VARIABLE}={}", sources.runtime.display());
            Ok(())
        }
        ("triage", [program, files @ ..]) => triage(&launcher, &program_of(program), files),
        ("merge", [program, jobs, folder, out @ ..]) => {
            let jobs = jobs.to_str().and_then(|jobs| jobs.parse().ok()).ok_or(USAGE)?;
            print_merge(&launcher, &program_of(program), jobs, Path::new(folder), out.first().map(Path::new))
        }
        ("minimise", [program, files @ ..]) => print_minimised(&launcher, &program_of(program), files),
        ("notes", [folder]) => print_notes(Path::new(folder)),
        _ => Err(USAGE.into()),
    }
}

fn program_of(path: &OsString) -> Program {
    Program {
        command: CommandSpec::new(path),
        sanitizer: Sanitizer::Address,
        inherited_asan_options: None,
        has_driver: true,
    }
}

fn limits() -> Limits {
    Limits { time: Duration::from_secs(5), ..Limits::default() }
}

fn print_archive(launcher: &Launcher, sources: &Path, cache: &Path) -> Result<(), Failure> {
    let jobs = std::thread::available_parallelism()?;
    let request =
        ArchiveRequest { sources: sources.into(), compiler: "c++".into(), cache: cache.into(), jobs };
    let path = archive(&request, &|tool: &std::ffi::OsStr, args: &[OsString]| {
        let spec = CommandSpec::new(tool).args(args);
        let outcome = launcher.run(&spec, &process::Limits::default()).map_err(std::io::Error::other)?;
        let text = |output: process::Output| String::from_utf8_lossy(&output.to_bytes()).into_owned();
        let success = outcome.exit.is_success();
        Ok(ToolOutcome { success, stdout: text(outcome.stdout), stderr: text(outcome.stderr) })
    })?;
    println!("{}", path.display());
    Ok(())
}

fn triage(launcher: &Launcher, program: &Program, files: &[OsString]) -> Result<(), Failure> {
    let started_at = Instant::now();
    let mut server = ForkServer::start(launcher, program, limits())?;
    println!("start\t{:.3} ms\tcatches panics: {}", ms(started_at.elapsed()), server.catches_panics());
    for file in files {
        let input = std::fs::read(file)?;
        let asked_at = Instant::now();
        let executed = server.run(&input)?;
        let (site, message) =
            executed.crash.as_ref().map_or((0, ""), |crash| (crash.site.0, crash.message.as_str()));
        let first_line = message.lines().next().unwrap_or_default();
        println!(
            "{}\t{:.3} ms\t{:?}\t{site:016x}\t{first_line}",
            file.display(),
            ms(asked_at.elapsed()),
            executed.end
        );
    }
    Ok(())
}

fn print_merge(
    launcher: &Launcher,
    program: &Program,
    jobs: NonZeroUsize,
    folder: &Path,
    out: Option<&Path>,
) -> Result<(), Failure> {
    let started_at = Instant::now();
    let inputs: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    let n_inputs = inputs.len();
    let merged = merge(launcher, program, limits(), inputs, jobs, None)?;
    if let Some(out) = out {
        std::fs::create_dir_all(out)?;
        for path in &merged.kept {
            std::fs::copy(path, out.join(path.file_name().unwrap_or_default()))?;
        }
    }
    println!(
        "merge\t{:.3} ms\t{n_inputs} inputs\t{} kept\t{} features\t{} bad\t{} not run",
        ms(started_at.elapsed()),
        merged.kept.len(),
        merged.n_features,
        merged.bad.len(),
        merged.not_run.len()
    );
    Ok(())
}

fn print_minimised(launcher: &Launcher, program: &Program, files: &[OsString]) -> Result<(), Failure> {
    let mut server = ForkServer::start(launcher, program, limits())?;
    for file in files {
        let input = std::fs::read(file)?;
        let asked_at = Instant::now();
        let before = server.run(&input)?.crash.map(|crash| crash.site);
        match minimise(&mut server, &input, Effort::default())? {
            Some(minimised) => println!(
                "{}\t{:.3} ms\t{:.3} ms in the target\t{} executions\t{} -> {} bytes\t{:?}\t{}",
                file.display(),
                ms(asked_at.elapsed()),
                ms(minimised.time),
                minimised.n_executions,
                input.len(),
                minimised.input.len(),
                minimised.end,
                if Some(minimised.crash.site) == before { "same site" } else { "DRIFTED" }
            ),
            None => println!("{}\tno crash", file.display()),
        }
    }
    Ok(())
}

fn print_notes(folder: &Path) -> Result<(), Failure> {
    for note in notes::read(folder)? {
        let crash = note.crash;
        let place =
            crash.location.map_or(String::new(), |at| format!("{}:{}:{}", at.file, at.line, at.column));
        println!(
            "{:016x}\t{:?}\t{} bytes\t{place}\t{}",
            crash.site.0,
            crash.kind,
            note.input.len(),
            crash.message
        );
    }
    Ok(())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
