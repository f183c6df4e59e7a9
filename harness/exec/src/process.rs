//! The one door through which programs are started.
//!
//! Every program gets its own process group, a deadline, bounded memory for its output and a [`guard`] that leaves no
//! descendant behind, whatever happens to us. Standard input is empty.

mod exit;
pub mod guard;
mod output;

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;

pub use self::exit::{Exit, Usage};
pub use self::guard::ResourceLimits;
pub use self::output::Output;

use self::guard::{End, Message};
use crate::command::CommandSpec;
use crate::interrupt::{Interrupt, Urgency};

/// How often a running program's deadline and the interrupt are looked at.
const TICK: Duration = Duration::from_millis(50);

/// How long output is waited for after the program's end.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(5);

/// The longest line that is handed on whole; longer ones come in pieces.
const LINE_BYTES_MAX: usize = 256 * 1024;

/// Why a program could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The program itself could not be started.
    #[error("failed to start `{command}`")]
    Start {
        /// The command as a shell line.
        command: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The guard could not be started, or was killed by somebody else.
    #[error("lost the guard of `{command}`")]
    Guard {
        /// The command as a shell line.
        command: String,
        /// What the operating system said.
        source: io::Error,
    },
}

/// What a program may use before we end it.
#[derive(Debug, Clone)]
pub struct Limits {
    /// When it is stopped: first by SIGINT, then by SIGKILL.
    pub deadline: Option<Instant>,
    /// How long it may take to end after SIGINT.
    pub grace: Duration,
    /// How many bytes of the beginning of each stream are kept.
    pub head_bytes_max: usize,
    /// How many bytes of the end of each stream are kept.
    pub tail_bytes_max: usize,
    /// What the kernel enforces.
    pub resources: ResourceLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: None,
            grace: Duration::from_secs(2),
            head_bytes_max: 256 * 1024,
            tail_bytes_max: 1024 * 1024,
            resources: ResourceLimits::default(),
        }
    }
}

impl Limits {
    /// The default limits with a deadline.
    pub fn until(deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..Self::default() }
    }

    /// The default limits with a deadline `time` from now.
    pub fn within(time: Duration) -> Self {
        Self::until(Instant::now() + time)
    }
}

/// How a program ended and what it said.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How it ended.
    pub exit: Exit,
    /// What it and its waited-for descendants used.
    pub usage: Usage,
    /// How long it ran.
    pub wall: Duration,
    /// What it printed on standard output.
    pub stdout: Output,
    /// What it printed on standard error.
    pub stderr: Output,
}

/// Which stream a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What the one who watches a program wants of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Go on.
    Continue,
    /// End cleanly.
    Stop,
}

/// Starts programs, each under a guard. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Launcher {
    guard: PathBuf,
    guard_args: Vec<OsString>,
    interrupt: Interrupt,
}

impl Launcher {
    /// A launcher whose guards are `guard guard_args… LIMITS PROGRAM ARG…`, which must end in [`guard::run`].
    pub fn new(guard: PathBuf, guard_args: Vec<OsString>, interrupt: Interrupt) -> Self {
        Self { guard, guard_args, interrupt }
    }

    /// The program that is the guard: this program's own file.
    pub fn guard_program(&self) -> &std::path::Path {
        &self.guard
    }

    /// The interrupt that ends every program of this launcher.
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Runs a program to its end and returns what it said. The first interrupt ends it by SIGINT, the second at once.
    pub fn run(&self, spec: &CommandSpec, limits: &Limits) -> Result<Outcome, ProcessError> {
        self.run_watched(spec, limits, |_, _| Wish::Continue)
    }

    /// Like [`Launcher::run`], handing each line to `watch` as it comes (without its line feed), and an empty
    /// look-around about every [`TICK`] when nothing comes (`None`).
    pub fn run_watched(
        &self,
        spec: &CommandSpec,
        limits: &Limits,
        watch: impl FnMut(Option<(Stream, &[u8])>, Duration) -> Wish,
    ) -> Result<Outcome, ProcessError> {
        Running::start(self, spec, limits)?.watch(&self.interrupt, watch)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the door through which programs are started")]
    fn guarded(&self, spec: &CommandSpec, limits: &Limits) -> Command {
        let mut command = Command::new(&self.guard);
        command.args(&self.guard_args).arg(limits.resources.to_string());
        command.arg(spec.program()).args(spec.arguments()).process_group(0);
        for (name, value) in spec.environment() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(directory) = spec.directory() {
            command.current_dir(directory);
        }
        command
    }
}

enum Happening {
    Line(Stream, Vec<u8>),
    Said(Message),
    GuardGone,
}

/// A program that runs under its guard.
struct Running {
    command: String,
    control: UnixStream,
    happenings: Receiver<Happening>,
    stdout: Arc<Mutex<Output>>,
    stderr: Arc<Mutex<Output>>,
    guard: std::process::Child,
    started_at: Instant,
    deadline: Option<Instant>,
    grace: Duration,
}

impl Running {
    fn start(launcher: &Launcher, spec: &CommandSpec, limits: &Limits) -> Result<Self, ProcessError> {
        let failed = |source| ProcessError::Guard { command: spec.to_string(), source };
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        let mut guard = launcher
            .guarded(spec, limits)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        // Bounded, so that a flood of output waits in the program's pipe and not in our memory.
        let (sender, happenings) = mpsc::sync_channel(64);
        let stdout = guard.stdout.take().expect("standard output is piped");
        let stderr = guard.stderr.take().expect("standard error is piped");
        let control = ours.try_clone().map_err(failed)?;
        Ok(Self {
            command: spec.to_string(),
            control,
            stdout: read_output(stdout, Stream::Stdout, limits, sender.clone()),
            stderr: read_output(stderr, Stream::Stderr, limits, sender.clone()),
            happenings: {
                std::thread::spawn(move || listen(ours, &sender));
                happenings
            },
            guard,
            started_at: Instant::now(),
            deadline: limits.deadline,
            grace: limits.grace,
        })
    }

    fn watch(
        mut self,
        interrupt: &Interrupt,
        mut watch: impl FnMut(Option<(Stream, &[u8])>, Duration) -> Wish,
    ) -> Result<Outcome, ProcessError> {
        let mut pid = None;
        let mut ending = Ending::default();
        let message = loop {
            let happening = match self.happenings.recv_timeout(TICK) {
                Ok(happening) => Some(happening),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(Happening::GuardGone),
            };
            let line = match &happening {
                Some(Happening::Line(stream, line)) => Some((*stream, line.as_slice())),
                Some(Happening::Said(Message::Started { pid: started })) => {
                    pid = Some(*started);
                    None
                }
                Some(Happening::Said(message)) => break Some(*message),
                Some(Happening::GuardGone) => break None,
                None => None,
            };
            let wish = watch(line, self.started_at.elapsed());
            self.end_if_due(&mut ending, wish, interrupt.urgency());
        };
        if message.is_none() {
            self.end_without_guard(pid);
        }
        self.drain(watch);
        self.collect(message, ending.reason)
    }

    /// Sends SIGINT when somebody wants the program to end, and SIGKILL when it has not after its grace.
    fn end_if_due(&mut self, ending: &mut Ending, wish: Wish, urgency: Urgency) {
        let now = Instant::now();
        if ending.kill_at.is_none() {
            let is_late = self.deadline.is_some_and(|deadline| now >= deadline);
            if is_late || wish == Wish::Stop || urgency > Urgency::None {
                ending.reason = Some(if is_late { Exit::Timeout } else { Exit::Stopped });
                ending.kill_at = Some(now + self.grace);
                self.send(guard::Command::Interrupt);
            }
        }
        let is_due = ending.kill_at.is_some_and(|kill_at| now >= kill_at || urgency == Urgency::Now);
        if is_due && !ending.is_killed {
            ending.is_killed = true;
            self.send(guard::Command::Kill);
        }
    }

    fn send(&mut self, command: guard::Command) {
        // The guard may have ended this moment; then its last message is already on its way to us.
        drop(self.control.write_all(&[command.to_byte()]));
    }

    /// The guard was killed by somebody else: its program must not outlive it.
    fn end_without_guard(&mut self, pid: Option<i32>) {
        if let Some(pid) = pid {
            guard::signal_group(Pid::from_raw(pid), Signal::SIGKILL);
        }
        drop(self.guard.kill());
    }

    /// Hands on the lines that were still on their way. The streams end with the guard, unless a process that even
    /// SIGKILL does not end holds them open: it is not waited for.
    fn drain(&self, mut watch: impl FnMut(Option<(Stream, &[u8])>, Duration) -> Wish) {
        let give_up = Instant::now() + DRAIN_TIME_MAX;
        while let Ok(happening) =
            self.happenings.recv_timeout(give_up.saturating_duration_since(Instant::now()))
        {
            if let Happening::Line(stream, line) = happening {
                watch(Some((stream, &line)), self.started_at.elapsed());
            }
        }
    }

    fn collect(mut self, message: Option<Message>, reason: Option<Exit>) -> Result<Outcome, ProcessError> {
        let wall = self.started_at.elapsed();
        let waited = self.guard.wait();
        let taken = |output: &Mutex<Output>| {
            std::mem::take(&mut *output.lock().unwrap_or_else(PoisonError::into_inner))
        };
        let (stdout, stderr) = (taken(&self.stdout), taken(&self.stderr));
        match message {
            Some(Message::Ended { end, was_oom_killed, usage }) => {
                let exit = exit_of(end, was_oom_killed, reason);
                Ok(Outcome { exit, usage, wall, stdout, stderr })
            }
            Some(Message::Failed { errno }) => Err(ProcessError::Start {
                command: self.command,
                source: io::Error::from_raw_os_error(errno),
            }),
            Some(Message::Started { .. }) | None => Err(ProcessError::Guard {
                command: self.command,
                source: match waited {
                    Ok(status) => io::Error::other(format!("the guard ended with {status}")),
                    Err(error) => error,
                },
            }),
        }
    }
}

/// What was done so far to end a program, and why.
#[derive(Default)]
struct Ending {
    reason: Option<Exit>,
    kill_at: Option<Instant>,
    is_killed: bool,
}

/// A program that ended by itself, even after we asked it to, said how; one that had to be killed says why.
fn exit_of(end: End, was_oom_killed: bool, reason: Option<Exit>) -> Exit {
    match (reason, end) {
        (Some(reason), _) => reason,
        (None, End::Status(0)) => Exit::Success,
        (None, End::Status(status)) => Exit::Failure(status),
        (None, End::Signal(_)) if was_oom_killed => Exit::OutOfMemory,
        (None, End::Signal(signal)) => Exit::Signal(signal),
    }
}

/// Reads one stream to its end on a thread of its own, keeping its beginning and its end and handing on its lines.
fn read_output(
    stream: impl Read + Send + 'static,
    which: Stream,
    limits: &Limits,
    lines: SyncSender<Happening>,
) -> Arc<Mutex<Output>> {
    let output = Arc::new(Mutex::new(Output::bounded(limits.head_bytes_max, limits.tail_bytes_max)));
    let shared = Arc::clone(&output);
    std::thread::spawn(move || {
        let mut reader = BufReader::with_capacity(64 * 1024, stream);
        let mut line = Vec::new();
        loop {
            line.clear();
            match (&mut reader).take(LINE_BYTES_MAX as u64).read_until(b'\n', &mut line) {
                Ok(n) if n > 0 => shared.lock().unwrap_or_else(PoisonError::into_inner).push(&line),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // A pipe that cannot be read is at its end for us; the exit status tells the rest.
                Ok(_) | Err(_) => return,
            }
            let text = line.strip_suffix(b"\n").unwrap_or(&line).to_vec();
            // Nobody listens any more: nobody will look at the output either.
            if lines.send(Happening::Line(which, text)).is_err() {
                return;
            }
        }
    });
    output
}

/// Hands on what the guard says.
fn listen(control: UnixStream, happenings: &SyncSender<Happening>) {
    for line in BufReader::new(control).lines() {
        let said = line.ok().and_then(|line| line.parse().ok());
        let Some(message) = said else { break };
        if happenings.send(Happening::Said(message)).is_err() {
            return;
        }
    }
    // Whoever watched may have left already.
    drop(happenings.send(Happening::GuardGone));
}
