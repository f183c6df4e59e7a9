//! One file a command. Each turns settings into words and an exit status.

mod doctor;
mod findings;
mod init;
mod report;
mod repro;
mod run;
mod triage;

use std::path::PathBuf;

use shakedown_exec::interrupt::Interrupt;
use shakedown_exec::machine;
use shakedown_exec::process::Launcher;

use crate::args::{Args, Command, GlobalArgs, RunArgs};
use crate::config::Settings;
use crate::config::env::Variables;
use crate::console::Console;
use crate::error::CliError;
use crate::{interrupt, project};

/// Runs the command that was asked for, and returns its exit status.
pub(crate) fn run(args: &Args, variables: &Variables, console: &Console) -> Result<u8, CliError> {
    let no_run = RunArgs::default();
    let run_args = match &args.command {
        Command::Run(run) | Command::Fuzz(run) => run,
        Command::Init { .. }
        | Command::Findings(_)
        | Command::Repro { .. }
        | Command::Triage(_)
        | Command::Report { .. }
        | Command::Doctor => &no_run,
    };
    let root = root(&args.global)?;
    let settings = Settings::resolve(&args.global, run_args, variables, &root, machine::n_cores())?;
    match &args.command {
        Command::Init { force } => init::run(&launcher(&Interrupt::default())?, &settings, console, *force),
        Command::Run(_) | Command::Fuzz(_) => {
            let interrupt = interrupt::listen(Console::say_interrupt);
            run::run(&launcher(&interrupt)?, &settings, console)
        }
        Command::Findings(command) => findings::run(&settings, console, command),
        Command::Repro { id } => {
            let interrupt = interrupt::listen(Console::say_interrupt);
            repro::run(&launcher(&interrupt)?, &settings, console, id)
        }
        Command::Triage(triage) => {
            let interrupt = interrupt::listen(Console::say_interrupt);
            triage::run(&launcher(&interrupt)?, &settings, console, triage)
        }
        Command::Report { run, format, list } => {
            report::run(&settings, console, run.as_deref().unwrap_or_default(), *format, *list)
        }
        Command::Doctor => Ok(doctor::run(&launcher(&Interrupt::default())?, &settings, variables, console)),
    }
}

fn root(global: &GlobalArgs) -> Result<PathBuf, CliError> {
    let folder = global.project.clone().unwrap_or_else(|| PathBuf::from("."));
    let folder = folder.canonicalize().map_err(|source| CliError::NoProject { path: folder, source })?;
    Ok(project::root_of(&folder))
}

/// A launcher whose guards are this same program in its hidden mode.
fn launcher(interrupt: &Interrupt) -> Result<Launcher, CliError> {
    let program = std::env::current_exe().map_err(CliError::OwnProgram)?;
    Ok(Launcher::new(program, vec![crate::GUARD_MODE.into()], interrupt.clone()))
}
