//! How a program ended.

use std::fmt;
use std::time::Duration;

/// How a program ended, as the operating system says it: the program's own words are not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// With status 0.
    Success,
    /// With another status.
    Failure(i32),
    /// By a signal that we did not send.
    Signal(i32),
    /// We ended it at its deadline.
    Timeout,
    /// The kernel ended it for want of memory.
    OutOfMemory,
    /// We ended it because somebody asked us to stop.
    Stopped,
}

impl Exit {
    /// Whether the program ended by itself with status 0.
    pub fn is_success(self) -> bool {
        self == Self::Success
    }

    /// The exit status, where there is one.
    pub fn code(self) -> Option<i32> {
        match self {
            Self::Success => Some(0),
            Self::Failure(code) => Some(code),
            Self::Signal(_) | Self::Timeout | Self::OutOfMemory | Self::Stopped => None,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success => write!(f, "exit status 0"),
            Self::Failure(code) => write!(f, "exit status {code}"),
            Self::Signal(signal) => match nix::sys::signal::Signal::try_from(*signal) {
                Ok(name) => write!(f, "killed by {}", name.as_str()),
                Err(_) => write!(f, "killed by signal {signal}"),
            },
            Self::Timeout => write!(f, "stopped at its deadline"),
            Self::OutOfMemory => write!(f, "killed by the kernel: out of memory"),
            Self::Stopped => write!(f, "stopped on request"),
        }
    }
}

/// What a program and the descendants that it waited for used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time in user mode.
    pub user: Duration,
    /// Processor time in the kernel.
    pub system: Duration,
    /// The largest resident set of any one process, in bytes.
    pub rss_bytes_max: u64,
}
