//! Joins the parts: arguments and settings in, a run through the stages, words and an exit code out.
//!
//! Reading order: [`args`] (as said), [`config`] (as meant), [`pipeline`] (the stages), [`command`] (one file a command),
//! [`console`] (the only place that prints).
#![forbid(unsafe_code)]

mod args;
mod command;
mod config;
mod console;
mod error;
mod interrupt;
mod pipeline;
mod project;
mod stage;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;
use crate::config::env::Variables;
use crate::console::Console;

/// The hidden first argument that makes this program a guard (see `shakedown_exec::process::guard`).
pub(crate) const GUARD_MODE: &str = "__guard";

/// The whole program: `words` are the command line, the program's own name first.
pub fn main(words: Vec<OsString>) -> ExitCode {
    if words.get(1).is_some_and(|word| word == GUARD_MODE) {
        return guard(words);
    }
    let variables = Variables::read();
    if let Some(substitution) = variables.substitution() {
        return shakedown_exec::driver::wrapper::run(&substitution, &words[1..]);
    }
    let args = match Args::try_parse_from(words) {
        Ok(args) => args,
        Err(usage) => return console::say_usage(&usage),
    };
    let console = Console::new(&args.global, &variables);
    match command::run(&args, &variables, &console) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            console.say_error(&error);
            ExitCode::from(error.exit_status())
        }
    }
}

fn guard(words: Vec<OsString>) -> ExitCode {
    match shakedown_exec::process::guard::run(words.into_iter().skip(2)) {
        Ok(()) => ExitCode::SUCCESS,
        // There is nobody to tell: whoever started us sees our status.
        Err(_) => ExitCode::FAILURE,
    }
}
