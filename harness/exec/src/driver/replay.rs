//! Runs thousands of inputs in one process: each costs its own execution and a message.
//!
//! The culprit of a death is the first input without an answer; the rest goes on in a new process. A process that dies
//! without a word is asked again about the culprit alone, in a fork, since what ran before can have been the reason.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::crash::Executed;
use super::fork_server::{ANSWER_TIME, ForkServer, lost_as, request_limits};
use super::session::{Over, Session};
use super::wire::{Answer, INPUT_BYTES_MAX, Place, Request};
use super::{DriverError, Limits};
use crate::corpus::read_bounded;
use crate::engine::libfuzzer::Program;
use crate::process::Launcher;

pub use super::wire::Listing;

/// How much is in flight: enough that the target never waits for us, and so little that it fits the socket's buffer,
/// since two that both wait to write would wait for ever.
const FLIGHT_INPUTS_MAX: usize = 32;
const FLIGHT_BYTES_MAX: usize = 48 << 10;

/// What became of one input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replayed {
    /// It was run.
    Executed(Executed),
    /// Its file can't be read, or is larger than 64 MiB.
    Unreadable,
    /// The time ran out before its turn.
    NotRun,
}

/// Runs `program` on each input, in their order. Returns what became of each.
pub fn replay(
    launcher: &Launcher,
    program: &Program,
    limits: Limits,
    inputs: &[PathBuf],
    listing: Listing,
    deadline: Option<Instant>,
) -> Result<Vec<Replayed>, DriverError> {
    let mut server = ForkServer::start(launcher, program, limits)?;
    let mut replayed = vec![Replayed::NotRun; inputs.len()];
    let is_over =
        || deadline.is_some_and(|deadline| Instant::now() >= deadline) || launcher.interrupt().is_raised();
    let mut next = 0;
    while next < inputs.len() && !is_over() {
        let mut pass = Pass { inputs, listing, limits, next, flight: VecDeque::new(), is_closed: false };
        match pass.run(server.session()?, &mut replayed, is_over) {
            PassEnd::Done => break,
            PassEnd::Died { next: rest } => next = rest,
            PassEnd::DiedSilently { culprit, over } => {
                server.forget();
                next = culprit + 1;
                replayed[culprit] = confirm(&mut server, &inputs[culprit], &over)?;
            }
        }
        server.forget();
    }
    Ok(replayed)
}

/// The culprit alone. If it is innocent in a fresh process, the death was the doing of what ran before, or chance:
/// that is then all that is known of it.
fn confirm(server: &mut ForkServer<'_>, culprit: &Path, over: &Over) -> Result<Replayed, DriverError> {
    let Ok(Some(input)) = read_bounded(culprit, INPUT_BYTES_MAX as u64) else {
        return Ok(Replayed::Unreadable);
    };
    let executed = server.run(&input)?;
    Ok(Replayed::Executed(if executed.end.is_bad() { executed } else { Executed::lost(lost_as(over)) }))
}

/// An input that was sent and not answered.
struct Sent {
    index: usize,
    id: u32,
    size: usize,
}

/// How a process' share of the inputs ended.
enum PassEnd {
    /// All were run, or the time is over.
    Done,
    /// The process said what it died on; the rest begins here.
    Died { next: usize },
    /// It left no word.
    DiedSilently { culprit: usize, over: Over },
}

/// One process' share of the inputs.
struct Pass<'a> {
    inputs: &'a [PathBuf],
    listing: Listing,
    limits: Limits,
    /// The first input that was not sent.
    next: usize,
    flight: VecDeque<Sent>,
    /// The process takes no more inputs; answers may still lie in the socket.
    is_closed: bool,
}

impl Pass<'_> {
    fn run(
        &mut self,
        session: &mut Session,
        replayed: &mut [Replayed],
        is_over: impl Fn() -> bool,
    ) -> PassEnd {
        loop {
            if !self.is_closed && !is_over() {
                self.fill(session, replayed);
            }
            let Some(sent) = self.flight.pop_front() else { break };
            match receive(session, &sent, &self.limits) {
                Ok((executed, is_last)) => {
                    replayed[sent.index] = Replayed::Executed(executed);
                    if is_last {
                        return PassEnd::Died { next: sent.index + 1 };
                    }
                }
                Err(over) => return PassEnd::DiedSilently { culprit: sent.index, over },
            }
        }
        // Closed with nothing in flight: the one that could not be sent is asked about alone, so that this always moves.
        if self.is_closed {
            PassEnd::DiedSilently { culprit: self.next, over: Over::Gone }
        } else {
            PassEnd::Done
        }
    }

    fn fill(&mut self, session: &mut Session, replayed: &mut [Replayed]) {
        while self.next < self.inputs.len() && self.has_room() {
            let index = self.next;
            let Ok(Some(input)) = read_bounded(&self.inputs[index], INPUT_BYTES_MAX as u64) else {
                replayed[index] = Replayed::Unreadable;
                self.next += 1;
                continue;
            };
            let limits = request_limits(&self.limits);
            let request = Request::Run { place: Place::Here, listing: self.listing, limits, input: &input };
            let Ok(id) = session.send(&request) else {
                self.is_closed = true;
                return;
            };
            self.next += 1;
            self.flight.push_back(Sent { index, id, size: input.len() });
        }
    }

    fn has_room(&self) -> bool {
        let bytes: usize = self.flight.iter().map(|sent| sent.size).sum();
        self.flight.len() < FLIGHT_INPUTS_MAX && bytes < FLIGHT_BYTES_MAX
    }
}

fn receive(session: &mut Session, sent: &Sent, limits: &Limits) -> Result<(Executed, bool), Over> {
    match session.receive(limits.time + ANSWER_TIME)? {
        Answer::Result { id, executed, is_last } if id == sent.id => Ok((executed, is_last)),
        Answer::Result { .. } | Answer::Hello { .. } | Answer::Progress { .. } | Answer::Minimised { .. } => {
            Err(Over::Gone)
        }
    }
}
