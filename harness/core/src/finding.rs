//! A finding: one distinct defect, all crashes with its signature, its state and its history.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::crash::{Crash, CrashKind, KindClass, Severity};
use crate::input::InputId;
use crate::run::RunId;
use crate::signature::Signature;
use crate::target::TargetName;
use crate::text::one_line;
use crate::time::Timestamp;

/// Where a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingState {
    /// Seen in one run only.
    New,
    /// Seen again, not fixed.
    Known,
    /// Somebody closed it.
    Fixed,
    /// It came back after it was closed.
    Reopened,
    /// Somebody decided not to hear of it.
    Ignored,
}

impl FindingState {
    /// All states, in the order of a finding's life.
    pub const ALL: [Self; 5] = [Self::New, Self::Known, Self::Fixed, Self::Reopened, Self::Ignored];

    /// The word in reports and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Known => "known",
            Self::Fixed => "fixed",
            Self::Reopened => "reopened",
            Self::Ignored => "ignored",
        }
    }

    /// The state after the finding was seen in a later run, and what that sighting is.
    pub fn seen_again(self) -> (Self, Sighted) {
        match self {
            Self::New | Self::Known => (Self::Known, Sighted::Known),
            Self::Fixed => (Self::Reopened, Sighted::Reopened),
            Self::Reopened => (Self::Reopened, Sighted::Known),
            Self::Ignored => (Self::Ignored, Sighted::Ignored),
        }
    }
}

impl fmt::Display for FindingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text is no state of a finding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a state of a finding (new, known, fixed, reopened, ignored)")]
pub struct UnknownState(String);

impl FromStr for FindingState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == text);
        found.ok_or_else(|| UnknownState(text.chars().take(40).collect()))
    }
}

/// What a finding is to the run that saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sighted {
    /// It was not in the store.
    New,
    /// It was fixed, and is back.
    Reopened,
    /// It was in the store.
    Known,
    /// It was in the store, to be ignored.
    Ignored,
}

impl Sighted {
    /// The word in reports and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Reopened => "reopened",
            Self::Known => "known",
            Self::Ignored => "ignored",
        }
    }
}

/// How often an input showed the same crash again, alone in a fresh process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reproducibility {
    /// Runs that ended in the same signature.
    pub n_same: u32,
    /// Runs in all.
    pub n_tried: u32,
}

impl fmt::Display for Reproducibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.n_same, self.n_tried)
    }
}

/// One crash that was confirmed and signed: what the store takes in.
#[derive(Debug, Clone, PartialEq)]
pub struct SignedCrash {
    /// Its signature.
    pub signature: Signature,
    /// The target that showed it.
    pub target: TargetName,
    /// What kind of crash it is.
    pub kind: CrashKind,
    /// How bad it is.
    pub severity: Severity,
    /// One line for people.
    pub title: String,
    /// Where in the code, as `file:line` or a function.
    pub place: Option<String>,
    /// How often it showed itself again.
    pub reproducibility: Reproducibility,
    /// The input, and its size; `None` where it was lost.
    pub input: Option<(InputId, u64)>,
    /// The log, as an object of the store.
    pub log: InputId,
    /// When it was seen.
    pub seen_at: Timestamp,
}

impl SignedCrash {
    /// What a crash itself says: the finding that it belongs to, and words for it. Where it came from is filled in by who
    /// knows: nothing was tried, there is no input, and the log is empty.
    pub fn of(crash: &Crash, signature: Signature, target: TargetName) -> Self {
        Self {
            signature,
            target,
            kind: crash.kind,
            severity: crash.severity(),
            title: title(crash),
            place: place(crash),
            reproducibility: Reproducibility::default(),
            input: None,
            log: InputId::of(b""),
            seen_at: Timestamp::default(),
        }
    }
}

/// One line for people: what went wrong in the program's own words, where it has some, else where it happened. A
/// sanitizer's sentence is left out: it is the kind and some addresses.
pub fn title(crash: &Crash) -> String {
    let own_words = match crash.kind.class() {
        KindClass::Check => crash.message.as_deref().and_then(|message| message.lines().next()),
        KindClass::Memory
        | KindClass::Race
        | KindClass::Recursion
        | KindClass::Allocation
        | KindClass::Timeout
        | KindClass::Leak
        | KindClass::Exit => None,
    };
    let function = crash.significant_frames().find_map(|frame| frame.function.as_deref());
    match (own_words.filter(|words| !words.trim().is_empty()), function) {
        (Some(words), _) => format!("{}: {}", crash.kind, one_line(words, 200)),
        (None, Some(function)) => format!("{} in {}", crash.kind, one_line(function, 120)),
        (None, None) => crash.kind.to_string(),
    }
}

/// Where in the code: the place that the crash itself names, else that of its first in-app frame.
pub fn place(crash: &Crash) -> Option<String> {
    let frame = crash.significant_frames().next();
    let frame_place = frame.and_then(|frame| {
        let file = frame.file.as_deref()?;
        Some(frame.line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}")))
    });
    // A panic raised inside std names the file of std.
    let own = crash.location.as_ref().filter(|location| !location.file.starts_with("/rustc/"));
    own.map(ToString::to_string).or(frame_place).or_else(|| frame?.function.clone())
}

/// One distinct defect.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What all its crashes share.
    pub signature: Signature,
    /// Where it stands.
    pub state: FindingState,
    /// The targets that showed it.
    pub targets: BTreeSet<TargetName>,
    /// What kind of crash the reproducer is.
    pub kind: CrashKind,
    /// The worst that was seen.
    pub severity: Severity,
    /// One line for people.
    pub title: String,
    /// Where in the code, as `file:line` or a function.
    pub place: Option<String>,
    /// How many crashes there were.
    pub n_crashes: u64,
    /// When the first one came.
    pub first_seen: Timestamp,
    /// When the last one came.
    pub last_seen: Timestamp,
    /// The run that saw it first.
    pub first_run: RunId,
    /// The run that saw it last.
    pub last_run: RunId,
    /// How well the reproducer works.
    pub reproducibility: Reproducibility,
    /// The smallest input that showed it, and the target to run it with; `None` where every input was lost.
    pub reproducer: Option<Reproducer>,
    /// The log of the crash that the reproducer made, as an object of the store.
    pub log: InputId,
}

/// An input that shows a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reproducer {
    /// The input.
    pub input: InputId,
    /// Its size in bytes.
    pub n_bytes: u64,
    /// The target that it is for.
    pub target: TargetName,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_finding_that_comes_back_is_news_once() {
        let (state, sighted) = FindingState::Fixed.seen_again();
        assert_eq!((state, sighted), (FindingState::Reopened, Sighted::Reopened));
        assert_eq!(state.seen_again().1, Sighted::Known);
    }

    #[test]
    fn an_ignored_finding_stays_ignored() {
        assert_eq!(FindingState::Ignored.seen_again(), (FindingState::Ignored, Sighted::Ignored));
    }

    #[test]
    fn states_are_found_by_their_word() {
        for state in FindingState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("open".parse::<FindingState>().is_err());
    }
}
