//! Findings, looked up: all of them, or one by any beginning of its signature. How they come in is in `intake`.

use std::collections::BTreeSet;
use std::str::FromStr;

use rusqlite::{OptionalExtension, Row};
use shakedown_core::crash::CrashKind;
use shakedown_core::finding::{Finding, FindingState, Reproducer, Reproducibility};
use shakedown_core::input::InputId;
use shakedown_core::run::RunId;
use shakedown_core::signature::Signature;
use shakedown_core::target::TargetName;
use shakedown_core::time::Timestamp;

use crate::{Store, StoreError};

/// What was found under the beginning of a signature.
#[derive(Debug, Clone, PartialEq)]
pub enum Lookup {
    /// Nothing.
    None,
    /// The finding.
    One(Box<Finding>),
    /// Several findings.
    Many(Vec<Signature>),
}

/// One step in a finding's life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// When.
    pub at: Timestamp,
    /// The state from then on.
    pub state: FindingState,
    /// Why.
    pub reason: String,
}

/// An input that shows a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownInput {
    /// The finding.
    pub finding: Signature,
    /// Where it stands.
    pub state: FindingState,
    /// The input.
    pub input: InputId,
}

impl Store {
    /// All findings, those seen last first.
    pub fn findings(&self) -> Result<Vec<Finding>, StoreError> {
        self.select_findings("ORDER BY last_seen DESC, signature", &[])
    }

    /// The finding whose signature begins with `prefix`, with or without the version before the colon.
    pub fn find(&self, prefix: &str) -> Result<Lookup, StoreError> {
        let escaped = prefix.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
        let patterns = [format!("{escaped}%"), format!("%:{escaped}%")];
        let condition =
            r"WHERE signature LIKE ?1 ESCAPE '\' OR signature LIKE ?2 ESCAPE '\' ORDER BY signature LIMIT 20";
        let mut found = self.select_findings(condition, &[&patterns[0], &patterns[1]])?;
        Ok(match (found.pop(), found.is_empty()) {
            (None, _) => Lookup::None,
            (Some(finding), true) => Lookup::One(Box::new(finding)),
            (Some(last), false) => {
                Lookup::Many(found.into_iter().chain([last]).map(|finding| finding.signature).collect())
            }
        })
    }

    /// A finding's life, oldest step first.
    pub fn history(&self, signature: &Signature) -> Result<Vec<HistoryEntry>, StoreError> {
        let sql = "SELECT at, state, reason FROM finding_history WHERE signature = ?1 ORDER BY at, rowid";
        self.connection
            .prepare(sql)
            .and_then(|mut statement| {
                statement
                    .query_map([signature.to_string()], |row| {
                        Ok(HistoryEntry {
                            at: Timestamp(row.get::<_, i64>("at")?.cast_unsigned()),
                            state: word(row, "state")?,
                            reason: row.get("reason")?,
                        })
                    })?
                    .collect()
            })
            .map_err(|error| self.sqlite(error))
    }

    /// The inputs that show findings in `target`: replayed before anything is fuzzed.
    pub fn reproducers(&self, target: &TargetName) -> Result<Vec<KnownInput>, StoreError> {
        let sql = "SELECT signature, state, reproducer FROM findings
            WHERE reproducer_target = ?1 AND reproducer IS NOT NULL ORDER BY first_seen";
        let known_input = |row: &Row<'_>| {
            let (finding, state) = (word(row, "signature")?, word(row, "state")?);
            Ok(KnownInput { finding, state, input: word(row, "reproducer")? })
        };
        self.connection
            .prepare(sql)
            .and_then(|mut statement| statement.query_map([target.as_str()], known_input)?.collect())
            .map_err(|error| self.sqlite(error))
    }

    /// The finding that `input` has shown in `target` before, as a crash of `kind`.
    pub fn shown_by(
        &self,
        input: &InputId,
        target: &TargetName,
        kind: CrashKind,
    ) -> Result<Option<Signature>, StoreError> {
        let sql = "SELECT signature FROM crashes WHERE input = ?1 AND target = ?2 AND kind = ?3 ORDER BY id LIMIT 1";
        let values = [input.as_str(), target.as_str(), kind.as_str()];
        self.connection
            .query_row(sql, values, |row| word(row, "signature"))
            .optional()
            .map_err(|error| self.sqlite(error))
    }

    /// The oldest finding of `kind` that `target` has shown.
    pub fn oldest_of(&self, target: &TargetName, kind: CrashKind) -> Result<Option<Signature>, StoreError> {
        let sql = "SELECT signature FROM findings JOIN finding_targets USING (signature)
            WHERE target = ?1 AND kind = ?2 ORDER BY first_seen LIMIT 1";
        self.connection
            .query_row(sql, [target.as_str(), kind.as_str()], |row| word(row, "signature"))
            .optional()
            .map_err(|error| self.sqlite(error))
    }

    fn select_findings(
        &self,
        condition: &str,
        values: &[&dyn rusqlite::ToSql],
    ) -> Result<Vec<Finding>, StoreError> {
        let mut statement = self
            .connection
            .prepare(&format!("SELECT * FROM findings {condition}"))
            .map_err(|error| self.sqlite(error))?;
        let rows: Vec<Finding> =
            statement.query_map(values, finding_of).and_then(Iterator::collect).map_err(|error| {
                if matches!(error, rusqlite::Error::FromSqlConversionFailure(..)) {
                    self.record("a finding", error)
                } else {
                    self.sqlite(error)
                }
            })?;
        rows.into_iter().map(|finding| self.with_targets(finding)).collect()
    }

    fn with_targets(&self, finding: Finding) -> Result<Finding, StoreError> {
        let sql = "SELECT target FROM finding_targets WHERE signature = ?1";
        let targets: BTreeSet<TargetName> = self
            .connection
            .prepare(sql)
            .and_then(|mut statement| {
                statement
                    .query_map([finding.signature.to_string()], |row| row.get::<_, String>(0))?
                    .map(|name| name.map(TargetName::new))
                    .collect()
            })
            .map_err(|error| self.sqlite(error))?;
        Ok(Finding { targets, ..finding })
    }
}

fn finding_of(row: &Row<'_>) -> rusqlite::Result<Finding> {
    let reproducer = match row.get::<_, Option<String>>("reproducer")? {
        None => None,
        Some(_) => Some(Reproducer {
            input: word(row, "reproducer")?,
            n_bytes: row.get::<_, i64>("reproducer_bytes")?.cast_unsigned(),
            target: TargetName::new(row.get::<_, String>("reproducer_target")?),
        }),
    };
    Ok(Finding {
        signature: word(row, "signature")?,
        state: word(row, "state")?,
        targets: BTreeSet::new(),
        kind: word(row, "kind")?,
        severity: word(row, "severity")?,
        title: row.get("title")?,
        place: row.get("place")?,
        n_crashes: row.get::<_, i64>("n_crashes")?.cast_unsigned(),
        first_seen: Timestamp(row.get::<_, i64>("first_seen")?.cast_unsigned()),
        last_seen: Timestamp(row.get::<_, i64>("last_seen")?.cast_unsigned()),
        first_run: RunId::from_text(row.get::<_, String>("first_run")?),
        last_run: RunId::from_text(row.get::<_, String>("last_run")?),
        reproducibility: Reproducibility { n_same: row.get("n_same")?, n_tried: row.get("n_tried")? },
        reproducer,
        log: word(row, "log")?,
    })
}

/// A column that holds one of `core`'s words.
pub(crate) fn word<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    row: &Row<'_>,
    column: &str,
) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    let index = row.as_ref().column_index(column)?;
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, Box::new(error))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{crash, run, store};

    #[test]
    fn a_finding_is_found_by_any_beginning_of_its_signature() {
        let (_folder, mut store) = store();
        let (one, two) = (crash("one", b"1"), crash("two", b"2"));
        store.take_crash(&one, &run("one")).unwrap();
        store.take_crash(&two, &run("one")).unwrap();
        let whole = one.signature.to_string();
        let digits = whole.split_once(':').unwrap().1;
        for prefix in [&whole[..], digits, &digits[..12]] {
            assert!(
                matches!(store.find(prefix).unwrap(), Lookup::One(found) if found.signature == one.signature)
            );
        }
        assert_eq!(store.find("zz").unwrap(), Lookup::None);
        assert_eq!(store.find("%").unwrap(), Lookup::None);
        assert!(matches!(store.find("").unwrap(), Lookup::Many(all) if all.len() == 2));
    }

    #[test]
    fn an_input_is_known_by_what_it_showed_before() {
        let (_folder, mut store) = store();
        let boom = crash("boom", b"input");
        store.take_crash(&boom, &run("one")).unwrap();
        let shown = |input: &[u8], kind| store.shown_by(&InputId::of(input), &boom.target, kind).unwrap();
        assert_eq!(shown(b"input", boom.kind), Some(boom.signature.clone()));
        assert_eq!(shown(b"input", CrashKind::Timeout), None);
        assert_eq!(shown(b"other", boom.kind), None);
        assert_eq!(store.oldest_of(&boom.target, boom.kind).unwrap(), Some(boom.signature.clone()));
        assert_eq!(store.oldest_of(&boom.target, CrashKind::Timeout).unwrap(), None);
    }

    #[test]
    fn a_record_that_makes_no_sense_is_an_error_and_no_panic() {
        let (_folder, mut store) = store();
        store.take_crash(&crash("boom", b"input"), &run("one")).unwrap();
        store.connection.execute("UPDATE findings SET state = 'banana'", []).unwrap();
        let error = store.findings().unwrap_err();
        assert!(matches!(error, StoreError::Record { .. }), "{error:?}");
    }
}
