//! The guard: a small process between us and each program, so that nothing outlives us.
//!
//! We start every program as `GUARD LIMITS PROGRAM ARG…` (the guard is this same executable in a hidden mode). The guard
//! is the *subreaper* of what it starts (prctl(2), `PR_SET_CHILD_SUBREAPER`): a descendant that forks twice or leaves its
//! session still becomes the guard's child when its parent dies. When the program ends, when we say so, or when our end
//! of the socket closes because we were killed, the guard kills until it has no child left.
//!
//! The guard's standard input is a socket to us. We send one-byte commands ([`Command`]); it answers with lines:
//! `started PID`, `failed ERRNO`, `ended …` (see [`Message`]). It does not interpret the program's output, which goes
//! straight to us.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::str::FromStr;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::resource::{Resource, UsageWho, getrusage, setrlimit};
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::time::{TimeVal, TimeValLike};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::exit::Usage;

/// How long the guard goes on killing descendants that do not die (processes in uninterruptible sleep).
const SWEEP_TIME_MAX: Duration = Duration::from_secs(5);

/// What we ask of the guard: one byte on the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    /// Send SIGINT to the program's process group: libFuzzer ends cleanly and says its statistics.
    Interrupt,
    /// Kill the program and everything that it started.
    Kill,
}

impl Command {
    pub(super) fn to_byte(self) -> u8 {
        match self {
            Self::Interrupt => b'i',
            Self::Kill => b'k',
        }
    }
}

/// What the guard tells us: one line on the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Message {
    /// The program runs under this process id.
    Started { pid: i32 },
    /// The program could not be started.
    Failed { errno: i32 },
    /// The program ended, and nothing that it started is left.
    Ended { end: End, was_oom_killed: bool, usage: Usage },
}

/// The raw end of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Status(i32),
    Signal(i32),
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { pid } => write!(f, "started {pid}"),
            Self::Failed { errno } => write!(f, "failed {errno}"),
            Self::Ended { end, was_oom_killed, usage } => {
                let (word, number) = match end {
                    End::Status(status) => ("status", status),
                    End::Signal(signal) => ("signal", signal),
                };
                let (user, system) = (usage.user.as_micros(), usage.system.as_micros());
                let oom = u8::from(*was_oom_killed);
                write!(f, "ended {word} {number} {oom} {user} {system} {}", usage.rss_bytes_max)
            }
        }
    }
}

impl FromStr for Message {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        fn number<T: FromStr>(word: Option<&str>) -> Result<T, ()> {
            word.and_then(|word| word.parse().ok()).ok_or(())
        }
        let mut words = line.split(' ');
        match words.next() {
            Some("started") => Ok(Self::Started { pid: number(words.next())? }),
            Some("failed") => Ok(Self::Failed { errno: number(words.next())? }),
            Some("ended") => {
                let end = match words.next() {
                    Some("status") => End::Status(number(words.next())?),
                    Some("signal") => End::Signal(number(words.next())?),
                    Some(_) | None => return Err(()),
                };
                let was_oom_killed = number::<u8>(words.next())? == 1;
                let user = Duration::from_micros(number(words.next())?);
                let system = Duration::from_micros(number(words.next())?);
                let usage = Usage { user, system, rss_bytes_max: number(words.next())? };
                Ok(Self::Ended { end, was_oom_killed, usage })
            }
            Some(_) | None => Err(()),
        }
    }
}

/// Limits that the kernel enforces on the program, as one word of the guard's command line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ResourceLimits {
    /// The largest file that the program may write, in bytes.
    pub file_bytes_max: Option<u64>,
    /// The largest address space, in bytes. Not for sanitized programs: their shadow memory is larger than the machine.
    pub address_space_bytes_max: Option<u64>,
}

impl fmt::Display for ResourceLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |limit: Option<u64>| limit.map_or_else(|| "-".to_owned(), |limit| limit.to_string());
        write!(f, "{},{}", number(self.file_bytes_max), number(self.address_space_bytes_max))
    }
}

impl FromStr for ResourceLimits {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        fn number(word: &str) -> Result<Option<u64>, ()> {
            if word == "-" { Ok(None) } else { word.parse().map(Some).map_err(|_| ()) }
        }
        let (file, address_space) = word.split_once(',').ok_or(())?;
        Ok(Self { file_bytes_max: number(file)?, address_space_bytes_max: number(address_space)? })
    }
}

impl ResourceLimits {
    fn apply(self) -> io::Result<()> {
        // Never a core file: a fuzzer would write hundreds of them.
        setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
        if let Some(bytes) = self.file_bytes_max {
            setrlimit(Resource::RLIMIT_FSIZE, bytes, bytes)?;
        }
        if let Some(bytes) = self.address_space_bytes_max {
            setrlimit(Resource::RLIMIT_AS, bytes, bytes)?;
        }
        Ok(())
    }
}

/// The guard's whole life: `args` are the words after the hidden mode's name. Returns the guard's own exit status.
///
/// # Errors
/// When it is called by hand, without the socket or the words that belong to it.
pub fn run(args: impl IntoIterator<Item = OsString>) -> io::Result<()> {
    let mut args = args.into_iter();
    let limits: Option<ResourceLimits> = args.next().and_then(|word| word.to_str()?.parse().ok());
    let (Some(limits), Some(program)) = (limits, args.next()) else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the guard is started by shakedown only"));
    };
    let control = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let commands = control.try_clone()?;
    let message = match start(&program, args, limits) {
        Ok(pid) => {
            // From here on nothing may end the guard before its program. The harness can be gone by now: that is seen by
            // the thread that waits for its commands.
            drop(say(&control, Message::Started { pid: pid.as_raw() }));
            let n_oom_kills = oom_kills();
            let end = watch(pid, commands);
            sweep();
            let was_oom_killed = end == End::Signal(Signal::SIGKILL as i32) && oom_kills() > n_oom_kills;
            Message::Ended { end, was_oom_killed, usage: usage_of_children() }
        }
        Err(error) => Message::Failed { errno: error.raw_os_error().unwrap_or(0) },
    };
    say(&control, message)
}

fn say(mut control: &UnixStream, message: Message) -> io::Result<()> {
    writeln!(control, "{message}")
}

#[expect(
    clippy::disallowed_methods,
    reason = "the guard is the half of exec::process that starts the program"
)]
fn start(
    program: &OsString,
    args: impl Iterator<Item = OsString>,
    limits: ResourceLimits,
) -> io::Result<Pid> {
    nix::sys::prctl::set_child_subreaper(true)?;
    limits.apply()?;
    let child =
        std::process::Command::new(program).args(args).stdin(Stdio::null()).process_group(0).spawn()?;
    Ok(Pid::from_raw(i32::try_from(child.id()).expect("process ids fit pid_t")))
}

/// Waits for the program, obeying commands meanwhile.
fn watch(pid: Pid, control: UnixStream) -> End {
    std::thread::spawn(move || obey(pid, control));
    loop {
        match waitpid(None, None) {
            Ok(WaitStatus::Exited(ended, status)) if ended == pid => return End::Status(status),
            Ok(WaitStatus::Signaled(ended, signal, _)) if ended == pid => return End::Signal(signal as i32),
            // An orphan that we inherited ended, or we were interrupted: go on.
            Ok(_) | Err(Errno::EINTR) => {}
            // Without children there is nothing to wait for; the program's own end cannot have been missed.
            Err(_) => return End::Signal(Signal::SIGKILL as i32),
        }
    }
}

fn obey(pid: Pid, mut control: UnixStream) {
    let mut byte = [0];
    loop {
        match control.read(&mut byte) {
            Ok(1) if byte[0] == Command::Interrupt.to_byte() => signal_group(pid, Signal::SIGINT),
            Ok(1) if byte[0] == Command::Kill.to_byte() => signal_group(pid, Signal::SIGKILL),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // The harness is gone. The main thread sees the program end, and sweeps up the rest.
            Ok(_) | Err(_) => {
                signal_group(pid, Signal::SIGKILL);
                return;
            }
        }
    }
}

/// Signals a process group. That it may have ended a moment ago is no error.
pub(super) fn signal_group(leader: Pid, signal: Signal) {
    let _ = killpg(leader, signal);
}

/// Kills all that is left. Killing a child makes its children ours, so this ends with the last descendant.
fn sweep() {
    let give_up = Instant::now() + SWEEP_TIME_MAX;
    loop {
        for pid in children() {
            // It may have ended since the list was read.
            let _ = kill(pid, Signal::SIGKILL);
        }
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => break,
                Err(Errno::ECHILD) => return,
                Ok(_) | Err(_) => {}
            }
        }
        if Instant::now() > give_up {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Our children, of all our threads (proc(5), `/proc/pid/task/tid/children`).
fn children() -> Vec<Pid> {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return Vec::new() };
    tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok())
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .map(Pid::from_raw)
        .collect()
}

/// How often the kernel killed something on this machine for want of memory.
fn oom_kills() -> u64 {
    let counters = std::fs::read_to_string("/proc/vmstat").unwrap_or_default();
    counters.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok()).unwrap_or(0)
}

fn usage_of_children() -> Usage {
    let time = |value: TimeVal| Duration::from_micros(u64::try_from(value.num_microseconds()).unwrap_or(0));
    getrusage(UsageWho::RUSAGE_CHILDREN).map_or_else(
        |_| Usage::default(),
        |usage| Usage {
            user: time(usage.user_time()),
            system: time(usage.system_time()),
            rss_bytes_max: u64::try_from(usage.max_rss()).unwrap_or(0) * 1024, // getrusage(2): kilobytes on Linux
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_guard_says_is_understood() {
        let usage =
            Usage { user: Duration::from_millis(12), system: Duration::from_micros(3), rss_bytes_max: 4096 };
        for message in [
            Message::Started { pid: 17 },
            Message::Failed { errno: 2 },
            Message::Ended { end: End::Status(77), was_oom_killed: false, usage },
            Message::Ended { end: End::Signal(9), was_oom_killed: true, usage },
        ] {
            assert_eq!(message.to_string().parse(), Ok(message));
        }
        assert_eq!("ended status".parse::<Message>(), Err(()));
    }

    #[test]
    fn limits_travel_as_one_word() {
        for limits in [
            ResourceLimits::default(),
            ResourceLimits { file_bytes_max: Some(1), address_space_bytes_max: None },
        ] {
            assert_eq!(limits.to_string().parse(), Ok(limits));
        }
    }
}
