//! A command as data: it can be printed, pasted into a shell and compared in a test before anybody runs it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

/// A program to run: what, with which arguments, where, and with which changes to the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandSpec {
    program: OsString,
    args: Vec<OsString>,
    /// Changes to the inherited environment: a value sets the variable, `None` removes it.
    env: BTreeMap<String, Option<OsString>>,
    cwd: Option<PathBuf>,
}

impl CommandSpec {
    /// A command without arguments, run in the current directory.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self { program: program.into(), args: Vec::new(), env: BTreeMap::new(), cwd: None }
    }

    /// Appends one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Appends arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<OsString>) -> Self {
        self.env.insert(name.into(), Some(value.into()));
        self
    }

    /// Removes an inherited environment variable.
    #[must_use]
    pub fn env_remove(mut self, name: impl Into<String>) -> Self {
        self.env.insert(name.into(), None);
        self
    }

    /// Runs the command in `directory`.
    #[must_use]
    pub fn cwd(mut self, directory: impl Into<PathBuf>) -> Self {
        self.cwd = Some(directory.into());
        self
    }

    /// The program.
    pub fn program(&self) -> &OsStr {
        &self.program
    }

    /// The arguments, without the program.
    pub fn arguments(&self) -> &[OsString] {
        &self.args
    }

    /// The changes to the environment, by name.
    pub fn environment(&self) -> &BTreeMap<String, Option<OsString>> {
        &self.env
    }

    /// The directory it runs in, where that is not the current one.
    pub fn directory(&self) -> Option<&Path> {
        self.cwd.as_deref()
    }
}

/// The line that does the same in a POSIX shell.
impl fmt::Display for CommandSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(directory) = &self.cwd {
            write!(f, "cd {} && ", shell_word(directory.as_os_str()))?;
        }
        let removed: Vec<_> =
            self.env.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
        if !removed.is_empty() {
            write!(f, "env")?;
            removed.iter().try_for_each(|name| write!(f, " -u {name}"))?;
            write!(f, " ")?;
        }
        for (name, value) in &self.env {
            if let Some(value) = value {
                write!(f, "{name}={} ", shell_word(value))?;
            }
        }
        write!(f, "{}", shell_word(&self.program))?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", shell_word(arg)))
    }
}

/// `word` quoted for a POSIX shell where it needs to be. Bytes that are not UTF-8 are shown as U+FFFD.
pub fn shell_word(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_prints_as_a_line_for_the_shell() {
        let spec = CommandSpec::new("./target/fuzz me")
            .args(["-runs=0", "it's"])
            .env("ASAN_OPTIONS", "symbolize=0:x=1")
            .env_remove("RUSTFLAGS")
            .cwd("/somewhere/a b");
        assert_eq!(
            spec.to_string(),
            r"cd '/somewhere/a b' && env -u RUSTFLAGS ASAN_OPTIONS=symbolize=0:x=1 './target/fuzz me' -runs=0 'it'\''s'"
        );
    }

    #[test]
    fn an_empty_argument_stays_an_argument() {
        assert_eq!(CommandSpec::new("true").arg("").to_string(), "true ''");
    }
}
