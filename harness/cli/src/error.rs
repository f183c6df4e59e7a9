//! Why a command could not do its work, with the exit status and the way out.

use std::path::PathBuf;

use shakedown_exec::process::ProcessError;
use shakedown_exec::toolchain::ToolchainError;
use shakedown_store::StoreError;

use crate::config::ConfigError;

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("no target is called `{pattern}`")]
    UnknownTarget { pattern: String, nearest: Option<String>, n_targets: usize },
    #[error("no finding begins with `{id}`")]
    UnknownFinding { id: String },
    #[error("`{id}` is the beginning of {} findings", candidates.len())]
    AmbiguousFinding { id: String, candidates: Vec<String> },
    #[error("`{word}` is not a state of a finding")]
    UnknownState { word: String },
    #[error("there is no stored run{}", if prefix.is_empty() { String::new() } else { format!(" that begins with `{prefix}`") })]
    NoRun { prefix: String },
    #[error("failed to use the team's decisions in `{}`", path.display())]
    Overrides { path: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("failed to read `{}`", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{why}")]
    NoFuzzer { why: String },
    #[error("`{}` exists already", path.display())]
    ConfigExists { path: PathBuf },
    #[error("failed to write `{}`", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("failed to find the project `{}`", path.display())]
    NoProject { path: PathBuf, source: std::io::Error },
    #[error("failed to use the folder `{}`", path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("finding {id} has no input: the process took it along when it died")]
    NoInput { id: String },
    #[error("target `{target}` of this finding is not in the project any more")]
    TargetGone { target: String },
    #[error("target `{target}` does not build:\n{why}")]
    Unbuilt { target: String, why: String },
    #[error("failed to run target `{target}`")]
    Target { target: String, source: ProcessError },
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("failed to find this program's own file")]
    OwnProgram(#[source] std::io::Error),
}

impl CliError {
    /// 2 where the words were wrong, 3 where the work could not be done.
    pub(crate) fn exit_status(&self) -> u8 {
        match self {
            Self::Config(_)
            | Self::UnknownTarget { .. }
            | Self::UnknownFinding { .. }
            | Self::AmbiguousFinding { .. }
            | Self::UnknownState { .. }
            | Self::NoRun { .. }
            | Self::ConfigExists { .. }
            | Self::Overrides { .. }
            | Self::Read { .. }
            | Self::NoFuzzer { .. }
            | Self::NoProject { .. }
            | Self::Toolchain(ToolchainError::NotInstalled { .. }) => 2,
            Self::Write { .. }
            | Self::Folder { .. }
            | Self::NoInput { .. }
            | Self::TargetGone { .. }
            | Self::Unbuilt { .. }
            | Self::Target { .. }
            | Self::Toolchain(ToolchainError::Missing(_) | ToolchainError::Broken { .. })
            | Self::Store(_)
            | Self::OwnProgram(_) => 3,
        }
    }

    /// What to do about it, if there is something.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Config(ConfigError::Read { .. }) => {
                Some("`--config` names a file that can be read".to_owned())
            }
            // Not `doctor`: it reads the same settings, and would say the same.
            Self::Config(_) => {
                Some("docs/operating.md lists every setting with its form and default".to_owned())
            }
            Self::UnknownTarget { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            Self::UnknownTarget { nearest: None, n_targets: 0, .. } => {
                Some("this project has no fuzz target; `cargo fuzz init` makes a first one".to_owned())
            }
            Self::UnknownTarget { .. } => Some("`shakedown doctor` lists the targets".to_owned()),
            Self::UnknownFinding { .. } => Some("`shakedown findings list` lists them".to_owned()),
            Self::AmbiguousFinding { candidates, .. } => Some(format!("one of: {}", candidates.join(", "))),
            Self::UnknownState { .. } => {
                Some("the states are new, known, fixed, reopened, ignored".to_owned())
            }
            Self::NoRun { .. } => {
                Some("`shakedown report --list` lists them; `shakedown run` makes one".to_owned())
            }
            Self::ConfigExists { .. } => Some("`shakedown init --force` replaces it".to_owned()),
            Self::NoProject { .. } => Some("`-C` names a folder of the project".to_owned()),
            Self::TargetGone { .. } => Some(
                "`shakedown findings close ID` marks it as fixed; `shakedown doctor` lists the targets"
                    .to_owned(),
            ),
            Self::NoInput { .. } => Some("its log is kept: `shakedown findings show ID`".to_owned()),
            Self::Unbuilt { .. } => Some("`shakedown doctor` tells which toolchain builds it".to_owned()),
            Self::Toolchain(ToolchainError::Missing(_)) => {
                Some("install one from https://rustup.rs, or put cargo on the PATH".to_owned())
            }
            Self::Toolchain(ToolchainError::NotInstalled { name, .. }) => {
                Some(format!("`rustup toolchain install {name}`"))
            }
            Self::Store(error) => error.hint(),
            Self::Overrides { .. } => Some("docs/signatures.md has an example".to_owned()),
            Self::NoFuzzer { .. } => {
                Some("`--target NAME` names a target of the project, which is then built".to_owned())
            }
            Self::Read { .. }
            | Self::Write { .. }
            | Self::Folder { .. }
            | Self::Target { .. }
            | Self::Toolchain(ToolchainError::Broken { .. })
            | Self::OwnProgram(_) => None,
        }
    }
}
