//! What a command said, and how it ended.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use serde_json::Value;

use crate::processes::Marked;
use crate::redact::Redactor;

/// What a command said, and how it ended.
#[derive(Debug)]
pub struct Said {
    /// How it ended.
    pub status: ExitStatus,
    /// How long it took.
    pub wall: Duration,
    /// Its data.
    pub stdout: String,
    /// Its talk.
    pub stderr: String,
    redactor: Redactor,
    marked: Marked,
}

#[expect(clippy::return_self_not_must_use, reason = "a check may be the last word")]
impl Said {
    pub(crate) fn new(
        status: ExitStatus,
        wall: Duration,
        stdout: String,
        stderr: String,
        redactor: Redactor,
        marked: Marked,
    ) -> Self {
        Self { status, wall, stdout, stderr, redactor, marked }
    }

    /// Checks the exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{self}");
        self
    }

    /// Checks that it was killed by a signal.
    #[track_caller]
    pub fn was_killed(self) -> Self {
        assert!(self.status.signal().is_some(), "{self}");
        self
    }

    /// Checks that a text occurs on either stream.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stdout.contains(text) || self.stderr.contains(text), "`{text}` is not said:\n{self}");
        self
    }

    /// Checks that a text occurs on neither stream.
    #[track_caller]
    pub fn never_says(self, text: &str) -> Self {
        assert!(!self.stdout.contains(text) && !self.stderr.contains(text), "`{text}` is said:\n{self}");
        self
    }

    /// Checks how long it took.
    #[track_caller]
    pub fn took_at_most(self, time_max: Duration) -> Self {
        assert!(self.wall <= time_max, "it took {:?}, not {time_max:?}:\n{self}", self.wall);
        self
    }

    /// Checks that no process that it started, directly or not, is left.
    #[track_caller]
    pub fn leaves_no_process(self) -> Self {
        self.marked.assert_gone();
        self
    }

    /// What a snapshot shows: exit code and both streams, with what differs from run to run redacted.
    pub fn to_snapshot(&self) -> String {
        let code = self.status.code().map_or_else(|| "none".to_owned(), |code| code.to_string());
        let stream = |name: &str, text: &str| match self.redactor.redact(text) {
            text if text.is_empty() => String::new(),
            text => format!("--- {name}\n{text}"),
        };
        format!("exit {code}\n{}{}", stream("stdout", &self.stdout), stream("stderr", &self.stderr))
    }

    /// The JSON lines on standard output.
    #[track_caller]
    pub fn lines(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(parse).collect()
    }

    /// The last JSON line: of a run, its report.
    #[track_caller]
    pub fn report(&self) -> Report {
        let last = self.lines().pop();
        Report(last.unwrap_or_else(|| panic!("nothing on standard output:\n{self}")))
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} after {:?}\n--- stdout\n{}\n--- stderr\n{}",
            self.status, self.wall, self.stdout, self.stderr
        )
    }
}

/// The report of a run, as JSON has it.
#[derive(Debug, Clone)]
pub struct Report(pub Value);

impl Report {
    /// The findings' lines.
    pub fn findings(&self) -> &[Value] {
        self.0["findings"].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    /// The findings' signatures, sorted.
    pub fn signatures(&self) -> Vec<String> {
        let mut signatures: Vec<String> =
            self.findings().iter().map(|finding| finding["signature"].as_str().unwrap().to_owned()).collect();
        signatures.sort();
        signatures
    }

    /// How the findings were sighted: `new`, `known`, `reopened`, `ignored`.
    pub fn sighted(&self) -> Vec<&str> {
        self.findings().iter().map(|finding| finding["sighted"].as_str().unwrap()).collect()
    }

    /// A target's line.
    #[track_caller]
    pub fn target(&self, name: &str) -> &Value {
        let targets = self.0["targets"].as_array().unwrap();
        let target = targets.iter().find(|target| target["name"] == name);
        target.unwrap_or_else(|| panic!("no target {name} in {:#}", self.0))
    }

    /// The outcome's word.
    pub fn outcome(&self) -> &str {
        self.0["verdict"]["outcome"].as_str().unwrap()
    }
}
