//! Inputs: each in a fresh copy of its target, on all cores.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use shakedown_core::finding::Reproducibility;
use shakedown_core::input::InputId;
use shakedown_core::target::TargetName;
use shakedown_exec::build::flags::Sanitizer;
use shakedown_exec::campaign::{CampaignTarget, Evidence};
use shakedown_exec::command::CommandSpec;
use shakedown_exec::corpus::{Corpus, read_bounded};
use shakedown_exec::driver::fork_server::ForkServer;
use shakedown_exec::engine::libfuzzer::{Program, is_libfuzzer_program};
use shakedown_exec::process::Launcher;
use shakedown_exec::replay::{self, Replayed};
use shakedown_exec::symbolize::Symbolizer;

use super::subjects::InputsOf;
use super::{Memory, Outcome, Seen, Triaged, subject};
use crate::config::Settings;
use crate::console::Console;
use crate::error::CliError;
use crate::stage::confirm::Witnessed;
use crate::stage::prepare::target_alone;

/// A larger file was not made by a fuzzer.
const INPUT_BYTES_MAX: u64 = 64 << 20;

/// How often progress is said.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// Runs every file.
pub(super) fn triage(
    launcher: &Launcher,
    settings: &Settings,
    console: &Console,
    of: &InputsOf,
    files: &[PathBuf],
    memory: &Memory,
) -> Result<Vec<Triaged>, CliError> {
    let target = match of {
        InputsOf::Target(name) => target_alone(launcher, settings, console, name)?,
        InputsOf::Binary(path) => ready_made(settings, path)?,
    };
    let scratch =
        tempfile::tempdir().map_err(|source| CliError::Folder { path: std::env::temp_dir(), source })?;
    let job = Job {
        launcher,
        target: &target,
        program: identity(&target),
        memory,
        symbolizer: Symbolizer::new(),
        scratch: scratch.path(),
    };
    let next = AtomicUsize::new(0);
    let triaged = Mutex::new(Vec::with_capacity(files.len()));
    let said_at = Mutex::new(Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..settings.n_jobs.value.min(files.len()) {
            scope.spawn(|| {
                let mut server = Server::NotStarted;
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if launcher.interrupt().is_raised() {
                        return;
                    }
                    let one = job.run(&mut server, file);
                    let mut triaged = triaged.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    triaged.push(one);
                    let mut said_at = said_at.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    if said_at.elapsed() >= SAY_EVERY {
                        *said_at = Instant::now();
                        console.say(&format!(
                            "{} of {} inputs of {}",
                            triaged.len(),
                            files.len(),
                            target.name
                        ));
                    }
                }
            });
        }
    });
    Ok(triaged.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

fn ready_made(settings: &Settings, path: &Path) -> Result<CampaignTarget, CliError> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    is_libfuzzer_program(&path).map_err(|why| CliError::NoFuzzer { why })?;
    let name = TargetName::new(path.file_name().unwrap_or_default().to_string_lossy());
    let program = Program {
        command: CommandSpec::new(&path),
        sanitizer: Sanitizer::Address,
        inherited_asan_options: settings.asan_options.clone(),
        // It may have been built by us; the first word of the process tells.
        has_driver: true,
    };
    Ok(CampaignTarget {
        limits: settings.limits_of(name.as_str(), &[])?,
        corpus: Corpus { inputs: PathBuf::new(), quarantine: PathBuf::new() },
        dictionary: None,
        name,
        program,
    })
}

/// What tells one build of a target from another: the bytes of its file, else the line that starts it.
fn identity(target: &CampaignTarget) -> String {
    let command = &target.program.command;
    match std::fs::read(command.program()) {
        Ok(bytes) if command.arguments().is_empty() => InputId::of(&bytes).to_string(),
        Ok(_) | Err(_) => command.to_string(),
    }
}

/// A target that waits for inputs.
enum Server<'a> {
    /// Nothing had to be run yet.
    NotStarted,
    Running(ForkServer<'a>),
    /// Our driver is not in the target.
    Unavailable,
}

/// What all threads share.
struct Job<'a> {
    launcher: &'a Launcher,
    target: &'a CampaignTarget,
    program: String,
    memory: &'a Memory,
    symbolizer: Symbolizer,
    scratch: &'a Path,
}

impl<'a> Job<'a> {
    fn start(&self) -> Server<'a> {
        if !self.target.program.has_driver {
            return Server::Unavailable;
        }
        let limits = self.target.limits.for_driver();
        ForkServer::start(self.launcher, &self.target.program, limits)
            .map_or(Server::Unavailable, Server::Running)
    }

    fn run(&self, server: &mut Server<'a>, file: &Path) -> Triaged {
        let path = file.display().to_string();
        let failed = |why: String| Triaged {
            subject: path.clone(),
            path: path.clone(),
            outcome: Outcome::Failed(why),
        };
        let input = match read_bounded(file, INPUT_BYTES_MAX) {
            Ok(Some(input)) => input,
            Ok(None) => return failed("too large for an input".to_owned()),
            Err(error) => return failed(error.to_string()),
        };
        let subject = subject(&input, &self.program);
        if let Some(outcome) = self.memory.recall(&subject) {
            return Triaged { path, subject, outcome };
        }
        if matches!(server, Server::NotStarted) {
            *server = self.start();
        }
        let witnessed = match server {
            Server::Running(server) => match server.run(&input) {
                Ok(executed) => executed.crash.map(|raw| Witnessed::caught(self.target, &raw)),
                Err(error) => return failed(shakedown_exec::chain(&error)),
            },
            Server::NotStarted | Server::Unavailable => match self.run_in_process(file) {
                Ok(witnessed) => witnessed,
                Err(why) => return failed(why),
            },
        };
        let outcome = match witnessed {
            None => Outcome::NoCrash,
            Some(Witnessed { mut crash, log }) => {
                self.symbolizer.resolve(&mut crash);
                let reproducibility = Reproducibility { n_same: 1, n_tried: 1 };
                Outcome::Crashed(vec![Seen { crash, log, input: Some(input), reproducibility }])
            }
        };
        Triaged { path, subject, outcome }
    }

    fn run_in_process(&self, file: &Path) -> Result<Option<Witnessed>, String> {
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf());
        let (program, limits) = (&self.target.program, &self.target.limits);
        match replay::confirm(self.launcher, program, limits, &file, self.scratch, None) {
            Ok(Replayed::Passed) => Ok(None),
            Ok(Replayed::Died(death)) => Ok(Some(Witnessed::of(self.target, None, &Evidence::Death(death)))),
            Ok(Replayed::NotRun) => Err("stopped before it was run".to_owned()),
            Err(error) => Err(shakedown_exec::chain(&error)),
        }
    }
}
