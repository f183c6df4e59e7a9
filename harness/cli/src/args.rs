//! The command line, recorded as said. What it means is decided in [`crate::config`].

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

/// One stage of the pipeline that fuzzes a build, holds the results against what is known, and says pass or fail.
#[derive(Debug, Parser)]
#[command(
    name = "shakedown",
    bin_name = "shakedown",
    version,
    after_help = "Exit codes: 0 pass, 1 the gate failed, 2 wrong usage or configuration, 3 the work could not be done, 4 undecided."
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct GlobalArgs {
    /// The project: a folder in it [default: the current folder]
    #[arg(short = 'C', long, global = true, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
    /// The configuration file [default: shakedown.toml at the project's root]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The folder for what is remembered [default: .shakedown at the project's root]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// JSON on standard output: events as they happen, one object a line, the result last
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say only what matters in the end
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Colours and live progress
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find fuzz crates and benches, and write a shakedown.toml with comments
    Init {
        /// Replace an existing shakedown.toml
        #[arg(long)]
        force: bool,
    },
    /// The stage: replay what crashed once, then fuzz, within the budget; report; exit code
    Run(RunArgs),
    /// A campaign over all targets, or some
    Fuzz(RunArgs),
    /// The distinct defects that are known
    #[command(subcommand)]
    Findings(FindingsCommand),
    /// Run a finding's input again and show the crash
    Repro {
        /// Any beginning of the finding's signature
        id: String,
    },
    /// Crash logs or crashing inputs in, deduplicated findings out
    Triage(TriageArgs),
    /// Any report again, later, from the stored run
    Report {
        /// Any beginning of the run's name [default: the last run]
        run: Option<String>,
        /// How to lay it out
        #[arg(long, value_name = "FORMAT", default_value = "terminal")]
        format: ReportFormat,
        /// List the stored runs instead
        #[arg(long)]
        list: bool,
    },
    /// What is missing on this machine, what was found in the project, and where every setting came from
    Doctor,
}

/// What a run takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct RunArgs {
    /// Targets by name; `*` stands for any letters [default: all]
    #[arg(value_name = "TARGET")]
    pub(crate) targets: Vec<String>,
    /// The time budget, builds included, such as 90s, 10m or 8h [default: 10m]
    #[arg(long = "for", value_name = "TIME", value_parser = parse_time)]
    pub(crate) budget: Option<Duration>,
    /// Processes that fuzz at once [default: one a core]
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// What random choices start from [default: the time]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u32>,
    /// What watches memory: auto, address or none [default: auto]
    #[arg(long, value_name = "NAME")]
    pub(crate) sanitizer: Option<String>,
    /// The rustup toolchain that builds the targets [default: nightly, else the project's, else stable]
    #[arg(long, value_name = "NAME")]
    pub(crate) toolchain: Option<String>,
    /// Outcomes that exit with 1, all others with 0: fail, broken, undecided (comma-separated)
    #[arg(long, value_name = "OUTCOMES", value_delimiter = ',')]
    pub(crate) fail_on: Option<Vec<String>>,
}

/// What triage takes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct TriageArgs {
    /// Crash logs, or with --target or --binary crashing inputs; folders are read to any depth. Inputs that cargo-fuzz left
    /// in artifacts/TARGET are recognised
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// The files are inputs of this target of the project
    #[arg(long, value_name = "NAME", conflicts_with = "binary")]
    pub(crate) target: Option<String>,
    /// The files are inputs of this ready-made program
    #[arg(long, value_name = "FILE")]
    pub(crate) binary: Option<PathBuf>,
    /// Every report of a log, not just the most significant one
    #[arg(long)]
    pub(crate) all: bool,
    /// Leave the store as it is
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What to do with findings.
#[derive(Debug, Subcommand)]
pub(crate) enum FindingsCommand {
    /// List them
    List {
        /// Only those in these states: new, known, fixed, reopened, ignored (comma-separated)
        // Not `--state`: that is the folder, for every command.
        #[arg(long, value_name = "STATES", value_delimiter = ',')]
        only: Vec<String>,
    },
    /// Everything about one
    Show {
        /// Any beginning of its signature
        id: String,
    },
    /// Mark one as fixed: seen again, it fails the gate
    Close {
        /// Any beginning of its signature
        id: String,
        /// Why, or the commit that fixed it
        #[arg(long, default_value = "closed by hand")]
        reason: String,
    },
    /// Mark a fixed or ignored one as open
    Reopen {
        /// Any beginning of its signature
        id: String,
        /// Why
        #[arg(long, default_value = "reopened by hand")]
        reason: String,
    },
    /// Never hear of one again
    Ignore {
        /// Any beginning of its signature
        id: String,
        /// Why: somebody will ask
        #[arg(long)]
        reason: String,
    },
}

/// How a report is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For people at a terminal
    Terminal,
    /// For programs
    Json,
}

/// The parser's own complaint (`expected number at 0`) says where it stopped, and not what to write.
fn parse_time(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "a time is written such as 90s, 10m or 8h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }

    /// Two options of one name and different types panic only when they are read.
    #[test]
    fn no_command_has_a_second_meaning_for_a_global_option() {
        let mut all = Args::command();
        all.build();
        let globals: Vec<String> = all.get_arguments().map(|arg| arg.get_id().to_string()).collect();
        let mut waiting: Vec<&clap::Command> = all.get_subcommands().collect();
        while let Some(command) = waiting.pop() {
            for arg in command.get_arguments().filter(|arg| !arg.is_global_set()) {
                let name = arg.get_id().to_string();
                let is_helper = name == "help" || name == "version";
                assert!(is_helper || !globals.contains(&name), "{} {name}", command.get_name());
            }
            waiting.extend(command.get_subcommands());
        }
    }
}
