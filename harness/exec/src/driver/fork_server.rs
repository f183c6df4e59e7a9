//! Triage: each input in a fresh copy of a warmed process, which costs a fork instead of a start.

use std::time::Duration;

use super::crash::{EndKind, Executed};
use super::session::{Over, Session};
use super::wire::{Answer, Listing, Place, Request, RequestLimits};
use super::{DriverError, Limits};
use crate::engine::libfuzzer::Program;
use crate::process::Launcher;

/// How much longer than the execution's own limit an answer may take: the driver kills a child a second late, and a
/// loaded machine takes its time to print a sanitizer's report.
pub(super) const ANSWER_TIME: Duration = Duration::from_secs(10);

/// A target that waits for inputs. Its process is replaced when a target manages to take it along.
pub struct ForkServer<'a> {
    launcher: &'a Launcher,
    program: &'a Program,
    limits: Limits,
    session: Option<Session>,
}

impl<'a> ForkServer<'a> {
    /// Starts the process. An error means that our driver isn't in it: then inputs need plain processes.
    pub fn start(launcher: &'a Launcher, program: &'a Program, limits: Limits) -> Result<Self, DriverError> {
        let session = Some(Session::start(launcher, program, &limits)?);
        Ok(Self { launcher, program, limits, session })
    }

    /// Whether panics come back instead of ending the process.
    pub fn catches_panics(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.catches_panics)
    }

    /// Whether the target was built with a sanitizer.
    pub fn has_sanitizer(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.has_sanitizer)
    }

    /// Runs one input in a fork. An input whose execution takes the server along, twice, has [`EndKind::Killed`].
    pub fn run(&mut self, input: &[u8]) -> Result<Executed, DriverError> {
        let place = Place::Fork;
        let limits = request_limits(&self.limits);
        let request = Request::Run { place, listing: Listing::None, limits, input };
        let patience = self.limits.time + ANSWER_TIME;
        let mut last = EndKind::Killed;
        // The second try tells the input's doing from a server that an earlier input left broken.
        for _ in 0..2 {
            match ask(self.session()?, &request, patience) {
                Ok(executed) => return Ok(executed),
                Err(over) => {
                    self.session = None;
                    last = lost_as(&over);
                }
            }
        }
        Ok(Executed::lost(last))
    }

    pub(super) fn session(&mut self) -> Result<&mut Session, DriverError> {
        match &mut self.session {
            Some(session) => Ok(session),
            none => Ok(none.insert(Session::start(self.launcher, self.program, &self.limits)?)),
        }
    }

    /// The next request goes to a new process.
    pub(super) fn forget(&mut self) {
        self.session = None;
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }
}

pub(super) fn request_limits(limits: &Limits) -> RequestLimits {
    RequestLimits { time: limits.time, memory_mb: limits.memory_mb }
}

pub(super) fn lost_as(over: &Over) -> EndKind {
    match over {
        Over::Late => EndKind::Timeout,
        Over::Gone => EndKind::Killed,
    }
}

/// One request, one result.
pub(super) fn ask(session: &mut Session, request: &Request<'_>, time: Duration) -> Result<Executed, Over> {
    let asked = session.send(request)?;
    match session.receive(time)? {
        Answer::Result { id, executed, is_last: _ } if id == asked => Ok(executed),
        Answer::Result { .. } | Answer::Hello { .. } | Answer::Progress { .. } | Answer::Minimised { .. } => {
            Err(Over::Gone)
        }
    }
}
