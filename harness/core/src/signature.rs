//! A signature: the versioned name of a defect, taken from one crash alone.
//!
//! Reading order: [`evidence`] (what a crash says about its defect), [`normalise`] (one spelling for a function, whatever the
//! compiler), [`message`] (one spelling for a panic's words), [`recursion`] (one name for a cycle), then [`Keys`];
//! [`mod@group`] proposes merges over a set of crashes, [`overrides`] is the team's last word. `docs/signatures.md` says it in prose.
//!
//! A signature never depends on other crashes: the same crash has the same signature tomorrow and elsewhere.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::crash::Crash;
use crate::input::hex;

pub mod evidence;
pub mod group;
pub mod message;
pub mod normalise;
pub mod overrides;
pub mod recursion;

pub use evidence::Evidence;
pub use group::{Merge, MergeReason, Sighting, group};
pub use overrides::Overrides;

/// The version of the algorithm below. A new step means a new version beside the old one, never a change of the old.
pub const VERSION: u32 = 1;

/// The versioned name of a defect: `v1:` and 64 hex digits. Equal means the same defect.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Signature(String);

/// All keys of one crash, stored side by side so that a later version can find today's findings again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// The group key: class, site and words of the defect.
    pub signature: Signature,
    /// The site alone: equal sites are worth a second look ("probably the same as").
    pub site: Signature,
    /// Class, words and the innermost in-app functions: callers included.
    pub stack: Signature,
    /// Everything, with lines: equal only within one build.
    pub exact: Signature,
}

/// How many functions enter the `stack` key.
const STACK_DEPTH: usize = 5;

impl Keys {
    /// The keys of `crash`.
    pub fn of(crash: &Crash) -> Self {
        Self::from_evidence(crash, &Evidence::of(crash))
    }

    /// The keys of `crash`, whose evidence was taken already.
    pub fn from_evidence(crash: &Crash, evidence: &Evidence) -> Self {
        Self {
            signature: Signature::over(&evidence.normal_form()),
            site: Signature::over(&format!("site {}\n", evidence.site.describe())),
            stack: Signature::over(&stack_form(evidence)),
            exact: Signature::over(&exact_form(crash)),
        }
    }
}

fn stack_form(evidence: &Evidence) -> String {
    let mut form = evidence.normal_form();
    for function in evidence.functions.iter().take(STACK_DEPTH) {
        form.push_str(&function.describe());
        form.push('\n');
    }
    form
}

fn exact_form(crash: &Crash) -> String {
    let mut form = format!("{} {}\n", crash.kind, crash.message.as_deref().unwrap_or_default());
    for frame in crash.crash_stack().into_iter().flat_map(|stack| stack.frames.iter()) {
        let function = frame.function.as_deref().unwrap_or_default();
        let file = frame.file.as_deref().or(frame.module.as_deref()).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(form, "{function} {file}:{:?}:{:?}+{:?}", frame.line, frame.column, frame.offset);
    }
    form
}

impl Signature {
    /// The signature over a normal form.
    fn over(normal_form: &str) -> Self {
        let digest = Sha256::digest(format!("shakedown signature v{VERSION}\n{normal_form}").as_bytes());
        Self(format!("v{VERSION}:{}", hex(&digest)))
    }

    /// `v1:` and 64 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The version of the algorithm that made it.
    pub fn version(&self) -> u32 {
        self.0[1..].split(':').next().and_then(|digits| digits.parse().ok()).unwrap_or(VERSION)
    }

    /// The digits without the version: what people abbreviate.
    pub fn digits(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, digits)| digits)
    }

    /// The first twelve digits: enough for people, never used as a key.
    pub fn short(&self) -> &str {
        &self.digits()[..12]
    }

    /// Whether `prefix` abbreviates this signature, with or without its version.
    pub fn starts_with(&self, prefix: &str) -> bool {
        !prefix.is_empty() && (self.0.starts_with(prefix) || self.digits().starts_with(prefix))
    }
}

/// The text is no signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a signature (`v1:` and 64 hex digits)")]
pub struct InvalidSignature(String);

impl FromStr for Signature {
    type Err = InvalidSignature;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidSignature(text.chars().take(80).collect());
        let (version, digits) =
            text.strip_prefix('v').and_then(|rest| rest.split_once(':')).ok_or_else(invalid)?;
        let is_version =
            version.parse::<u32>().is_ok_and(|number| number > 0 && !version.starts_with(['0', '+']));
        let is_digits =
            digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if is_version && is_digits { Ok(Self(text.to_owned())) } else { Err(invalid()) }
    }
}

impl TryFrom<String> for Signature {
    type Error = InvalidSignature;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Signature> for String {
    fn from(signature: Signature) -> Self {
        signature.0
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", self.short())
    }
}

#[cfg(test)]
mod tests;
