//! One process that serves, and the socket to it.
//!
//! It is started through [`crate::process`], so that it and all it starts die with us; only one connection is taken,
//! in a folder of our own that others can't enter. A session is either good or over: after the first word that makes
//! no sense, or the first deadline, it is killed.

use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::wire::{self, Answer, HEADER_BYTES, Request};
use super::{DriverError, Limits, serving};
use crate::command::CommandSpec;
use crate::engine::libfuzzer::Program;
use crate::process::{self, Launcher, Outcome, ProcessError, Wish};

/// How long a target may take to its first word: it starts and runs its own initialisation.
const START_TIME_MAX: Duration = Duration::from_secs(60);

/// How often a starting process is looked at: well below what starting costs.
const START_PAUSE: Duration = Duration::from_millis(1);

/// A process that serves inputs.
pub struct Session {
    stream: UnixStream,
    process: Process,
    /// Whether the runtime that catches panics is in the target.
    pub(super) catches_panics: bool,
    /// Whether a sanitizer is in the target.
    pub(super) has_sanitizer: bool,
    next_id: u32,
}

/// The session is over. How the process ended says more than any word of its own.
#[derive(Debug)]
pub(super) enum Over {
    /// It did not answer in time.
    Late,
    /// It is gone, or talks nonsense.
    Gone,
}

impl Session {
    /// Starts `program` and waits for its first word.
    pub(super) fn start(
        launcher: &Launcher,
        program: &Program,
        limits: &Limits,
    ) -> Result<Self, DriverError> {
        let name = program.command.to_string();
        let socket_error = |source| DriverError::Socket { program: name.clone(), source };
        let folder = tempfile::Builder::new().prefix("shakedown-").tempdir().map_err(socket_error)?;
        let path = folder.path().join("s");
        let listener = UnixListener::bind(&path).map_err(socket_error)?;
        listener.set_nonblocking(true).map_err(socket_error)?;
        let mut process = Process::start(launcher.clone(), serving(program, &path, limits));
        let Some(stream) = accept(&listener, &process).map_err(socket_error)? else {
            return Err(process.explain(name));
        };
        let mut session = Self { stream, process, catches_panics: false, has_sanitizer: false, next_id: 0 };
        match session.receive(START_TIME_MAX) {
            Ok(Answer::Hello { version, .. }) if version != shakedown_driver::PROTOCOL_VERSION => {
                Err(DriverError::Version { program: name, theirs: version })
            }
            Ok(Answer::Hello { catches_panics, has_sanitizer, .. }) => {
                session.catches_panics = catches_panics;
                session.has_sanitizer = has_sanitizer;
                Ok(session)
            }
            Ok(Answer::Result { .. } | Answer::Progress { .. } | Answer::Minimised { .. }) | Err(_) => {
                Err(session.process.explain(name))
            }
        }
    }

    /// Asks, without waiting for the answer. Returns the number that the answer will have.
    pub(super) fn send(&mut self, request: &Request<'_>) -> Result<u32, Over> {
        self.next_id = self.next_id.wrapping_add(1);
        // A peer that reads nothing must not hold us; what is in flight fits the socket's buffer (see replay).
        let sent = self
            .stream
            .set_write_timeout(Some(Duration::from_secs(10)))
            .and_then(|()| self.stream.write_all(&request.encode(self.next_id)));
        sent.map(|()| self.next_id).map_err(|error| over(&error))
    }

    /// The next answer, if it comes within `time`.
    pub(super) fn receive(&mut self, time: Duration) -> Result<Answer, Over> {
        let deadline = Instant::now() + time;
        let mut header = [0; HEADER_BYTES];
        self.read(&mut header, deadline)?;
        let (size, number) = wire::header(header).map_err(|_| Over::Gone)?;
        let mut payload = vec![0; size];
        self.read(&mut payload, deadline)?;
        Answer::decode(number, &payload).map_err(|_| Over::Gone)
    }

    fn read(&mut self, mut into: &mut [u8], deadline: Instant) -> Result<(), Over> {
        while !into.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Over::Late);
            }
            // A session that waits for hours must still notice that somebody wants to stop.
            let pause = left.min(Duration::from_millis(200));
            self.stream.set_read_timeout(Some(pause)).map_err(|error| over(&error))?;
            match self.stream.read(into) {
                Ok(0) => return Err(Over::Gone),
                Ok(n) => into = &mut into[n..],
                Err(error) if is_pause(&error) && !self.process.is_finished() => {}
                Err(error) => return Err(over(&error)),
            }
        }
        Ok(())
    }
}

fn over(error: &io::Error) -> Over {
    if is_pause(error) { Over::Late } else { Over::Gone }
}

fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

fn accept(listener: &UnixListener, process: &Process) -> io::Result<Option<UnixStream>> {
    let deadline = Instant::now() + START_TIME_MAX;
    while Instant::now() < deadline {
        match listener.accept() {
            Ok((stream, _)) => return stream.set_nonblocking(false).map(|()| Some(stream)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if process.is_finished() {
                    return Ok(None);
                }
                std::thread::sleep(START_PAUSE);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// The process behind a session, watched by a thread of its own.
struct Process {
    wants_stop: Arc<AtomicBool>,
    watcher: Option<JoinHandle<Result<Outcome, ProcessError>>>,
}

impl Process {
    fn start(launcher: Launcher, spec: CommandSpec) -> Self {
        let wants_stop = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&wants_stop);
        let watcher = std::thread::spawn(move || {
            let limits = process::Limits { grace: Duration::ZERO, ..process::Limits::default() };
            launcher.run_watched(&spec, &limits, |_, _| {
                if stop.load(Ordering::Relaxed) { Wish::Stop } else { Wish::Continue }
            })
        });
        Self { wants_stop, watcher: Some(watcher) }
    }

    fn is_finished(&self) -> bool {
        self.watcher.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Why there is no session with it.
    fn explain(&mut self, program: String) -> DriverError {
        match self.end() {
            Some(Ok(outcome)) => {
                let said = outcome.stderr.last_lines(10);
                DriverError::NoDriver { program, why: format!("{}\n{said}", outcome.exit) }
            }
            Some(Err(source)) => DriverError::Start { program, source },
            None => DriverError::NoDriver { program, why: "it did not end either".to_owned() },
        }
    }

    /// Ends it, and everything that it started.
    fn end(&mut self) -> Option<Result<Outcome, ProcessError>> {
        self.wants_stop.store(true, Ordering::Relaxed);
        self.watcher.take()?.join().ok()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The driver leaves when we hang up, which is quicker than stopping it; a closed socket is fine as well.
        drop(self.stream.shutdown(std::net::Shutdown::Both));
        drop(self.process.end());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.end());
    }
}
