//! A command of shakedown's, said fluently: `project.shakedown(["fuzz", "--for", "5s"]).env("X", "y").run()`.
//!
//! Every command is bounded: one that does not end within its limit is killed, and the test fails with what it said.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::fake;
use crate::processes::{MARK, Marked};
use crate::project::Project;
use crate::redact::Redactor;
use crate::said::Said;

/// How long a command may take unless it says otherwise.
const TIME_MAX: Duration = Duration::from_secs(120);

/// Variables of the developer's own that would change what a test sees.
const UNWANTED: [&str; 14] = [
    "SHAKEDOWN_FOR",
    "SHAKEDOWN_JOBS",
    "SHAKEDOWN_SEED",
    "SHAKEDOWN_SANITIZER",
    "SHAKEDOWN_TOOLCHAIN",
    "SHAKEDOWN_STATE",
    "SHAKEDOWN_FAIL_ON",
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_TARGET_DIR",
    "ASAN_OPTIONS",
    "RUSTUP_TOOLCHAIN",
    "NO_COLOR",
    "TERM",
];

/// A command that was not started yet.
#[derive(Debug)]
pub struct Harness {
    words: Vec<OsString>,
    variables: Vec<(OsString, Option<OsString>)>,
    directory: PathBuf,
    redactor: Redactor,
    marked: Marked,
    time_max: Duration,
}

impl Harness {
    /// A command with the project as its current folder.
    pub fn new<W: AsRef<OsStr>>(project: &Project, words: impl IntoIterator<Item = W>) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let marked = Marked::new(&format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        let cache = crate::kept("cache");
        let harness = Self {
            words: words.into_iter().map(|word| word.as_ref().to_owned()).collect(),
            variables: UNWANTED.iter().map(|name| (OsString::from(name), None)).collect(),
            directory: project.root().to_path_buf(),
            redactor: Redactor::new().path(project.root(), "[PROJECT]").path(&cache, "[CACHE]"),
            marked,
            time_max: TIME_MAX,
        };
        // One cache for all tests: compiling libFuzzer takes longest of all.
        harness.env("SHAKEDOWN_CACHE", cache)
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.into(), Some(value.as_ref().to_owned())));
        self
    }

    /// Lets it take longer.
    #[must_use]
    pub fn within(mut self, time_max: Duration) -> Self {
        self.time_max = time_max;
        self
    }

    /// Runs it to its end.
    pub fn run(self) -> Said {
        self.start().finish()
    }

    /// Starts it.
    #[expect(clippy::disallowed_methods, reason = "the door through which tests start the product")]
    pub fn start(self) -> Started {
        let mut command = Command::new(fake("shakedown-under-test"));
        command.args(&self.words).current_dir(&self.directory).env(MARK, self.marked.value());
        for (name, value) in &self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let since = Instant::now();
        let mut child = command.spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let stdout = child.stdout.take().unwrap();
        let stderr = child.stderr.take().unwrap();
        read(stdout, Stream::Stdout, sender.clone());
        read(stderr, Stream::Stderr, sender);
        Started {
            child,
            lines,
            stdout: String::new(),
            stderr: String::new(),
            since,
            give_up: since + self.time_max,
            redactor: self.redactor,
            marked: self.marked,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Stdout,
    Stderr,
}

fn read(stream: impl Read + Send + 'static, which: Stream, lines: mpsc::Sender<(Stream, String)>) {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            let text = String::from_utf8_lossy(&line).into_owned();
            line.clear();
            if lines.send((which, text)).is_err() {
                return;
            }
        }
    });
}

/// A command that runs.
#[derive(Debug)]
pub struct Started {
    child: Child,
    lines: Receiver<(Stream, String)>,
    stdout: String,
    stderr: String,
    since: Instant,
    give_up: Instant,
    redactor: Redactor,
    marked: Marked,
}

impl Started {
    /// All processes that come from this command, however they were started.
    pub fn marked(&self) -> Marked {
        self.marked.clone()
    }

    /// Waits until it prints a line with `text`, on either stream. Returns that line.
    pub fn wait_for(&mut self, text: &str) -> String {
        loop {
            match self.next_line() {
                Some(line) if line.contains(text) => return line,
                Some(_) => {}
                None => panic!("it ended without saying `{text}`:\n{}{}", self.stdout, self.stderr),
            }
        }
    }

    /// Ctrl-C, as a terminal would send it to this process.
    pub fn interrupt(&self) {
        self.signal(Signal::SIGINT);
    }

    /// What no process can catch.
    pub fn kill(&self) {
        self.signal(Signal::SIGKILL);
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    /// Kills it `delay` from now, unless it ends before. Returns whether it had to be killed.
    pub fn kill_after(mut self, delay: Duration) -> (Said, bool) {
        let due = Instant::now() + delay;
        while Instant::now() < due {
            match self.lines.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok((stream, line)) => self.keep(stream, &line),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return (self.finish(), false),
            }
        }
        self.kill();
        (self.finish(), true)
    }

    /// Waits for its end.
    pub fn finish(mut self) -> Said {
        while self.next_line().is_some() {}
        let status: ExitStatus = self.child.wait().unwrap();
        Said::new(status, self.since.elapsed(), self.stdout, self.stderr, self.redactor, self.marked)
    }

    /// The next line on either stream; `None` at the end of both.
    fn next_line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(self.give_up.saturating_duration_since(Instant::now())) {
            Ok((stream, line)) => {
                self.keep(stream, &line);
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                self.kill();
                panic!("it did not end in time; it said:\n{}{}", self.stdout, self.stderr);
            }
        }
    }

    fn keep(&mut self, stream: Stream, line: &str) {
        match stream {
            Stream::Stdout => self.stdout.push_str(line),
            Stream::Stderr => self.stderr.push_str(line),
        }
    }
}
