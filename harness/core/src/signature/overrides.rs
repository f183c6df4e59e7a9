//! The team's last word: a committed file that ignores, merges and splits, each with a reason and a date.
//!
//! ```toml
//! [[ignore]]
//! signature = "v1:1f0c5a7d9e2b"     # any unambiguous prefix of at least eight digits, with or without `v1:`
//! reason = "asserts only in debug builds"
//! date = "2026-03-01"
//!
//! [[merge]]
//! signatures = ["1f0c5a7d9e2b", "77aa00ffee11"]   # the first one keeps its name
//! reason = "one missing length check, two readers"
//! date = 2026-03-01
//!
//! [[split]]
//! signature = "77aa00ffee11"
//! by = "stack"                      # or "exact"
//! reason = "two callers, two defects"
//! date = "2026-03-02"
//!
//! [[split]]
//! signatures = ["1f0c5a7d9e2b", "aa00ffee1177"]   # never put these together
//! reason = "looks like one recursion, is two"
//! date = "2026-03-02"
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;

use super::group::{Merge, Sighting, canonical, group_unless};
use super::{Keys, Signature};

/// Fewer digits would name strangers.
const PREFIX_DIGITS_MIN: usize = 8;

/// What a team decided.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overrides {
    ignores: Vec<Decision<Prefix>>,
    merges: Vec<Decision<Vec<Prefix>>>,
    splits: Vec<Decision<(Prefix, SplitKey)>>,
    apart: Vec<Decision<Vec<Prefix>>>,
}

/// One decision, why and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<T> {
    /// What is decided about.
    pub about: T,
    /// Why.
    pub reason: String,
    /// When, as `YYYY-MM-DD`.
    pub date: String,
}

/// The beginning of a signature, as people type it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix(String);

/// The finer key by which a signature is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitKey {
    /// The innermost functions, callers included.
    Stack,
    /// Everything, with lines: one build's crashes only.
    Exact,
}

/// Why an overrides file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverridesError {
    /// It is no TOML, or has an unknown key.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// A signature is too short or no hex.
    #[error(
        "`[[{table}]]` number {number}: `{text}` is no signature, nor {PREFIX_DIGITS_MIN} or more digits of one"
    )]
    Signature {
        /// The table.
        table: &'static str,
        /// The entry, from 1.
        number: usize,
        /// What stands there.
        text: String,
    },
    /// A reason, a date or a field is missing or empty.
    #[error("`[[{table}]]` number {number}: {problem}")]
    Entry {
        /// The table.
        table: &'static str,
        /// The entry, from 1.
        number: usize,
        /// What is wrong.
        problem: &'static str,
    },
}

/// Where a crash belongs after all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The finding's name.
    pub finding: Signature,
    /// The decision to ignore it, if there is one.
    pub ignored: Option<Decision<Prefix>>,
}

impl Overrides {
    /// Reads an overrides file.
    pub fn parse(text: &str) -> Result<Self, OverridesError> {
        let file: OverridesFile = toml::from_str(text).map_err(|error| syntax_error(text, &error))?;
        file.into_overrides()
    }

    /// Whether nothing is decided.
    pub fn is_empty(&self) -> bool {
        self.ignores.is_empty() && self.merges.is_empty() && self.splits.is_empty() && self.apart.is_empty()
    }

    /// Merges proposed over `sightings`, without those that the team refused.
    pub fn group(&self, sightings: &[Sighting]) -> Vec<Merge> {
        group_unless(sightings, &|a, b| self.keeps_apart(a, b))
    }

    /// Where each crash belongs: its own signature or a finer key, then the proposed merges, then the team's.
    ///
    /// `proposed` is what [`Overrides::group`] returned, now or at an earlier run.
    pub fn assign(&self, keys: &[Keys], proposed: &[Merge]) -> Vec<Assignment> {
        let aliases = canonical(proposed);
        let own: Vec<Signature> = keys.iter().map(|keys| self.own_name(keys, &aliases)).collect();
        let heads = self.heads(&own);
        let assign = |keys: &Keys, own: &Signature| {
            let finding = heads.get(own).unwrap_or(own).clone();
            let names = [&finding, own, &keys.signature];
            let ignored =
                self.ignores.iter().find(|decision| names.iter().any(|name| decision.about.names(name)));
            Assignment { finding, ignored: ignored.cloned() }
        };
        keys.iter().zip(&own).map(|(keys, own)| assign(keys, own)).collect()
    }

    fn own_name(&self, keys: &Keys, aliases: &BTreeMap<Signature, Signature>) -> Signature {
        let split = self.splits.iter().find(|decision| decision.about.0.names(&keys.signature));
        match split.map(|decision| decision.about.1) {
            Some(SplitKey::Stack) => keys.stack.clone(),
            Some(SplitKey::Exact) => keys.exact.clone(),
            None => aliases.get(&keys.signature).unwrap_or(&keys.signature).clone(),
        }
    }

    /// For every name that the team merged, the name that stays: the one named first in the file, else the first met.
    fn heads(&self, own: &[Signature]) -> BTreeMap<Signature, Signature> {
        let mut heads: BTreeMap<Signature, Signature> = BTreeMap::new();
        for decision in &self.merges {
            let found: Vec<&Signature> = decision
                .about
                .iter()
                .filter_map(|prefix| own.iter().find(|name| prefix.names(name)))
                .collect();
            let Some(head) = found.first().map(|name| heads.get(*name).unwrap_or(name).clone()) else {
                continue;
            };
            for name in own.iter().filter(|name| decision.about.iter().any(|prefix| prefix.names(name))) {
                let old = heads.insert(name.clone(), head.clone()).unwrap_or_else(|| name.clone());
                // What was merged into this name before follows it.
                heads.values_mut().filter(|value| **value == old).for_each(|value| *value = head.clone());
            }
        }
        heads
    }

    fn keeps_apart(&self, a: &Signature, b: &Signature) -> bool {
        let is_split = |signature| self.splits.iter().any(|decision| decision.about.0.names(signature));
        let named = |decision: &Decision<Vec<Prefix>>, signature| {
            decision.about.iter().position(|prefix| prefix.names(signature))
        };
        let are_apart = self.apart.iter().any(|decision| match (named(decision, a), named(decision, b)) {
            (Some(a), Some(b)) => a != b,
            _ => false,
        });
        is_split(a) || is_split(b) || are_apart
    }
}

impl Prefix {
    fn new(text: &str) -> Option<Self> {
        let digits = text.split_once(':').map_or(text, |(_, digits)| digits);
        let is_versioned = text.len() == digits.len()
            || text.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let is_hex = digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        (is_versioned && is_hex && (PREFIX_DIGITS_MIN..=64).contains(&digits.len()))
            .then(|| Self(text.to_owned()))
    }

    /// Whether `signature` begins like this.
    pub fn names(&self, signature: &Signature) -> bool {
        signature.starts_with(&self.0)
    }

    /// The text as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OverridesFile {
    #[serde(default)]
    ignore: Vec<Entry>,
    #[serde(default)]
    merge: Vec<Entry>,
    #[serde(default)]
    split: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    signature: Option<String>,
    #[serde(default)]
    signatures: Vec<String>,
    by: Option<String>,
    reason: Option<String>,
    date: Option<toml::Value>,
}

impl OverridesFile {
    fn into_overrides(self) -> Result<Overrides, OverridesError> {
        let mut overrides = Overrides::default();
        for (at, entry) in self.ignore.iter().enumerate() {
            let entry = Numbered { table: "ignore", number: at + 1, entry };
            overrides.ignores.push(entry.decision(entry.one()?)?);
        }
        for (at, entry) in self.merge.iter().enumerate() {
            let entry = Numbered { table: "merge", number: at + 1, entry };
            overrides.merges.push(entry.decision(entry.several()?)?);
        }
        for (at, entry) in self.split.iter().enumerate() {
            let entry = Numbered { table: "split", number: at + 1, entry };
            if entry.entry.signatures.is_empty() {
                overrides.splits.push(entry.decision((entry.one()?, entry.split_key()?))?);
            } else {
                overrides.apart.push(entry.decision(entry.several()?)?);
            }
        }
        Ok(overrides)
    }
}

/// An entry and where it stands, so that an error can say so.
struct Numbered<'a> {
    table: &'static str,
    number: usize,
    entry: &'a Entry,
}

impl Numbered<'_> {
    fn decision<T>(&self, about: T) -> Result<Decision<T>, OverridesError> {
        let reason = self.entry.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
        let reason = reason.ok_or_else(|| self.problem("a `reason` is missing"))?.to_owned();
        let date = match &self.entry.date {
            Some(toml::Value::String(date)) => date.clone(),
            Some(toml::Value::Datetime(date)) => date.to_string(),
            _ => return Err(self.problem("a `date` is missing (`YYYY-MM-DD`)")),
        };
        if is_date(&date) {
            Ok(Decision { about, reason, date })
        } else {
            Err(self.problem("the `date` is not `YYYY-MM-DD`"))
        }
    }

    fn one(&self) -> Result<Prefix, OverridesError> {
        let text = self.entry.signature.as_deref().ok_or_else(|| self.problem("a `signature` is missing"))?;
        self.prefix(text)
    }

    fn several(&self) -> Result<Vec<Prefix>, OverridesError> {
        if self.entry.signatures.len() < 2 {
            return Err(self.problem("`signatures` needs two or more"));
        }
        self.entry.signatures.iter().map(|text| self.prefix(text)).collect()
    }

    fn split_key(&self) -> Result<SplitKey, OverridesError> {
        match self.entry.by.as_deref() {
            None | Some("stack") => Ok(SplitKey::Stack),
            Some("exact") => Ok(SplitKey::Exact),
            Some(_) => Err(self.problem("`by` is neither `stack` nor `exact`")),
        }
    }

    fn prefix(&self, text: &str) -> Result<Prefix, OverridesError> {
        let short = || text.chars().take(80).collect();
        Prefix::new(text).ok_or_else(|| OverridesError::Signature {
            table: self.table,
            number: self.number,
            text: short(),
        })
    }

    fn problem(&self, problem: &'static str) -> OverridesError {
        OverridesError::Entry { table: self.table, number: self.number, problem }
    }
}

fn is_date(text: &str) -> bool {
    let pattern = b"dddd-dd-dd";
    let fits = |(byte, expected): (u8, &u8)| {
        if *expected == b'd' { byte.is_ascii_digit() } else { byte == *expected }
    };
    text.len() == pattern.len() && text.bytes().zip(pattern).all(fits)
}

fn syntax_error(text: &str, error: &toml::de::Error) -> OverridesError {
    let start = error.span().map_or(0, |span| span.start.min(text.len()));
    let before = text.get(..start).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    OverridesError::Syntax {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        message: error.message().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(name: &str) -> Keys {
        let key = |part: &str| Signature::over(&format!("{name} {part}"));
        Keys { signature: key("signature"), site: key("site"), stack: key("stack"), exact: key("exact") }
    }

    fn check_error(text: &str, expect: &str) {
        let error = Overrides::parse(text).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    }

    fn assigned(text: &str, keys: &[Keys]) -> Vec<Assignment> {
        Overrides::parse(text).unwrap().assign(keys, &[])
    }

    #[test]
    fn nothing_decided_changes_nothing() {
        let keys = [keys("a"), keys("b")];
        let findings = assigned("", &keys);
        assert_eq!(findings[0], Assignment { finding: keys[0].signature.clone(), ignored: None });
        assert!(Overrides::parse("# nothing\n").unwrap().is_empty());
    }

    #[test]
    fn a_merge_keeps_the_first_name_and_follows_chains() {
        let keys = [keys("a"), keys("b"), keys("c")];
        let [a, b, c] = [0, 1, 2].map(|at| keys[at].signature.short().to_owned());
        let entry = |one: &str, other: &str| {
            format!("[[merge]]\nsignatures = [\"{one}\", \"{other}\"]\nreason = \"r\"\ndate = 2026-01-31\n")
        };
        let findings = assigned(&(entry(&b, &c) + &entry(&a, &b)), &keys);
        assert!(findings.iter().all(|assignment| assignment.finding == keys[0].signature), "{findings:?}");
    }

    #[test]
    fn a_split_uses_the_finer_key_and_an_ignore_says_why() {
        let keys = [keys("a"), keys("b")];
        let text = format!(
            "[[split]]\nsignature = \"{}\"\nby = \"stack\"\nreason = \"two callers\"\ndate = \"2026-01-31\"\n\
             [[ignore]]\nsignature = \"{}\"\nreason = \"debug only\"\ndate = \"2026-01-31\"\n",
            keys[0].signature,
            keys[1].signature.short()
        );
        let findings = assigned(&text, &keys);
        assert_eq!(findings[0].finding, keys[0].stack);
        assert_eq!(findings[1].ignored.as_ref().map(|decision| decision.reason.as_str()), Some("debug only"));
    }

    #[test]
    fn an_error_names_the_place() {
        check_error("[[ignore]]\nsignature = 'abc'\n", "`abc` is no signature");
        check_error(
            "[[ignore]]\nsignature = '0123456789ab'\ndate = '2026-01-01'",
            "number 1: a `reason` is missing",
        );
        check_error(
            "[[ignore]]\nsignature = '0123456789ab'\nreason = 'x'\ndate = 'soon'",
            "not `YYYY-MM-DD`",
        );
        check_error(
            "[[merge]]\nsignatures = ['0123456789ab']\nreason = 'x'\ndate = '2026-01-01'",
            "two or more",
        );
        check_error("[[ignore]]\nsignatur = 'x'", "line 2, column 1");
        check_error("[[", "line 1");
    }
}
