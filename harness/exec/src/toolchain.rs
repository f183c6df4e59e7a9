//! The Rust toolchains of this machine, and which of them builds fuzz targets.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::command::CommandSpec;
use crate::process::{Launcher, Limits, ProcessError};

/// How long a toolchain may take to say its version. Generous: rustup on a cold disk takes seconds.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);

/// Why no toolchain can be used.
#[derive(Debug, thiserror::Error)]
pub enum ToolchainError {
    /// There is no cargo on this machine.
    #[error("failed to find a Rust toolchain")]
    Missing(#[source] ProcessError),
    /// The toolchain that the configuration names is not installed.
    #[error("toolchain `{name}` is not installed (installed: {})", installed.join(", "))]
    NotInstalled {
        /// The name in the configuration.
        name: String,
        /// What there is.
        installed: Vec<String>,
    },
    /// A toolchain is there but does not answer.
    #[error("`{command}` failed: {output}")]
    Broken {
        /// The question.
        command: String,
        /// The end of what it said instead of an answer.
        output: String,
    },
}

/// Where a compiler comes from in its train.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Unstable switches work.
    Nightly,
    /// Unstable switches work only under `RUSTC_BOOTSTRAP=1` (stable and beta).
    Stable,
}

/// One toolchain that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain {
    /// Its rustup name; `None` where there is no rustup.
    pub name: Option<String>,
    /// Its channel.
    pub channel: Channel,
    /// The version as `rustc` says it, such as `rustc 1.95.0 (59807616e 2026-04-14)`.
    pub version: String,
    /// The host triple.
    pub host: String,
    /// Whether it has AddressSanitizer's runtime for the host.
    pub has_address_sanitizer: bool,
}

impl Toolchain {
    /// A command that runs `program` (`cargo`, `rustc`) of this toolchain.
    pub fn command(&self, program: &str) -> CommandSpec {
        proxied(program, self.name.as_deref())
    }
}

/// `program` of the named toolchain. The variables that an outer `cargo shakedown` sets would pull in its toolchain.
fn proxied(program: &str, toolchain: Option<&str>) -> CommandSpec {
    let spec = CommandSpec::new(program).env_remove("CARGO").env_remove("RUSTC").env_remove("RUSTDOC");
    match toolchain {
        Some(name) => spec.env("RUSTUP_TOOLCHAIN", name),
        None => spec,
    }
}

/// What is installed here.
#[derive(Debug, Clone)]
pub struct Installed {
    /// Names of the toolchains, as rustup lists them; empty without rustup.
    pub names: Vec<String>,
    /// The one that rustup uses by default.
    pub default: Option<String>,
}

impl Installed {
    /// Asks rustup.
    pub fn detect(launcher: &Launcher) -> Self {
        // Asked outside of any project, so that a pinned toolchain that is missing is not looked for.
        let spec =
            CommandSpec::new("rustup").args(["toolchain", "list"]).env_remove("RUSTUP_TOOLCHAIN").cwd("/");
        let listed = launcher.run(&spec, &Limits::within(ANSWER_TIME_MAX));
        let text =
            listed.ok().filter(|outcome| outcome.exit.is_success()).map(|outcome| outcome.stdout.to_text());
        Self::parse(&text.unwrap_or_default())
    }

    fn parse(listing: &str) -> Self {
        let mut installed = Self { names: Vec::new(), default: None };
        for line in listing.lines().filter(|line| !line.starts_with("no installed")) {
            let Some(name) = line.split_whitespace().next() else { continue };
            if line.contains("default") {
                installed.default = Some(name.to_owned());
            }
            installed.names.push(name.to_owned());
        }
        installed
    }

    /// The installed toolchain that `channel` (`nightly`, `1.95.0`, or a full name) means.
    pub fn find(&self, channel: &str) -> Option<&str> {
        let is_meant = |name: &&String| {
            name.as_str() == channel
                || name.strip_prefix(channel).is_some_and(|rest| {
                    // `nightly` is `nightly-x86_64-…` but not `nightly-2024-01-01-x86_64-…`.
                    rest.starts_with('-') && !rest[1..].starts_with(|c: char| c.is_ascii_digit())
                })
        };
        self.names.iter().find(is_meant).map(String::as_str)
    }
}

/// What a project pins in `rust-toolchain.toml` or `rust-toolchain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The file that says so.
    pub file: PathBuf,
    /// The channel that it names.
    pub channel: String,
}

/// The pin that holds in `directory`: the nearest file upwards.
pub fn pin_of(directory: &Path) -> Option<Pin> {
    directory.ancestors().find_map(|ancestor| {
        ["rust-toolchain", "rust-toolchain.toml"].iter().find_map(|name| {
            let file = ancestor.join(name);
            let text = std::fs::read_to_string(&file).ok()?;
            parse_pin(&text).map(|channel| Pin { file, channel })
        })
    })
}

/// The channel in a toolchain file: TOML, or in the old form just its name.
fn parse_pin(text: &str) -> Option<String> {
    if let Ok(table) = text.parse::<toml::Table>() {
        return Some(table.get("toolchain")?.get("channel")?.as_str()?.to_owned());
    }
    let name = text.trim();
    let is_name = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || "[]=".contains(c));
    is_name.then(|| name.to_owned())
}

/// Picks the toolchain that builds fuzz targets in `directory`: the `wanted` one, else a pinned nightly, else any
/// nightly, else the pinned one, else the default. What is said in passing is returned beside it.
pub fn choose(
    launcher: &Launcher,
    installed: &Installed,
    wanted: Option<&str>,
    directory: &Path,
) -> Result<(Toolchain, Vec<String>), ToolchainError> {
    let mut notices = Vec::new();
    let pin = pin_of(directory);
    let pinned = pin.as_ref().and_then(|pin| installed.find(&pin.channel));
    if let (Some(pin), None, false) = (&pin, pinned, installed.names.is_empty()) {
        notices.push(missing_pin_notice(pin));
    }
    let name = match wanted {
        Some(wanted) => Some(installed.find(wanted).ok_or_else(|| ToolchainError::NotInstalled {
            name: wanted.to_owned(),
            installed: installed.names.clone(),
        })?),
        None => pinned
            .filter(|name| name.starts_with("nightly"))
            .or_else(|| installed.find("nightly"))
            .or_else(|| installed.names.iter().map(String::as_str).find(|name| name.starts_with("nightly")))
            .or(pinned)
            .or(installed.default.as_deref())
            .or_else(|| installed.names.first().map(String::as_str)),
    };
    Ok((ask(launcher, name)?, notices))
}

/// What is said of a pinned toolchain that is not there.
pub fn missing_pin_notice(pin: &Pin) -> String {
    let Pin { file, channel } = pin;
    let file = file.display();
    format!(
        "{file} pins toolchain `{channel}`, which is not installed (`rustup toolchain install {channel}`); using another one"
    )
}

/// Asks a toolchain what it is.
fn ask(launcher: &Launcher, name: Option<&str>) -> Result<Toolchain, ToolchainError> {
    let text = answer(launcher, &proxied("rustc", name).arg("-vV").cwd("/"))?;
    let sysroot = answer(launcher, &proxied("rustc", name).args(["--print", "sysroot"]).cwd("/"))?;
    let field = |prefix: &str| text.lines().find_map(|line| line.strip_prefix(prefix)).map(str::to_owned);
    let host = field("host: ").unwrap_or_default();
    let release = field("release: ").unwrap_or_default();
    let is_nightly = release.contains("nightly") || release.contains("dev");
    Ok(Toolchain {
        name: name.map(str::to_owned),
        channel: if is_nightly { Channel::Nightly } else { Channel::Stable },
        version: text.lines().next().unwrap_or_default().to_owned(),
        has_address_sanitizer: has_address_sanitizer(Path::new(sysroot.trim()), &host),
        host,
    })
}

fn answer(launcher: &Launcher, spec: &CommandSpec) -> Result<String, ToolchainError> {
    let outcome = launcher.run(spec, &Limits::within(ANSWER_TIME_MAX)).map_err(ToolchainError::Missing)?;
    if outcome.exit.is_success() {
        return Ok(outcome.stdout.to_text());
    }
    let output = format!("{}: {}", outcome.exit, outcome.stderr.last_lines(5));
    Err(ToolchainError::Broken { command: spec.to_string(), output })
}

fn has_address_sanitizer(sysroot: &Path, host: &str) -> bool {
    let Ok(entries) = std::fs::read_dir(sysroot.join("lib/rustlib").join(host).join("lib")) else {
        return false;
    };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().contains("rt.asan"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rustups_list_is_understood() {
        let listing = "stable-x86_64-unknown-linux-gnu (active, default)\nnightly-2024-05-01-x86_64-unknown-linux-gnu\n\
                       nightly-x86_64-unknown-linux-gnu\n1.95.0-x86_64-unknown-linux-gnu\n";
        let installed = Installed::parse(listing);
        assert_eq!(installed.default.as_deref(), Some("stable-x86_64-unknown-linux-gnu"));
        assert_eq!(installed.find("nightly"), Some("nightly-x86_64-unknown-linux-gnu"));
        assert_eq!(installed.find("1.95.0"), Some("1.95.0-x86_64-unknown-linux-gnu"));
        assert_eq!(installed.find("1.9"), None);
    }

    #[test]
    fn no_rustup_means_no_names() {
        assert!(Installed::parse("").names.is_empty());
        assert!(Installed::parse("no installed toolchains\n").names.is_empty());
    }

    #[test]
    fn both_forms_of_a_pin_are_read() {
        assert_eq!(parse_pin("[toolchain]\nchannel = \"1.70\"\n"), Some("1.70".to_owned()));
        assert_eq!(parse_pin("nightly-2024-01-01\n"), Some("nightly-2024-01-01".to_owned()));
        assert_eq!(parse_pin("[toolchain]\npath = \"/x\"\n"), None);
    }
}
