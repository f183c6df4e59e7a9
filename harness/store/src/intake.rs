//! Intake: crashes become findings, findings change their state and their names.
//!
//! Everything here is one transaction, so that a kill at any moment leaves all of it or nothing.

use rusqlite::{Connection, OptionalExtension, params};
use shakedown_core::crash::Severity;
use shakedown_core::finding::{FindingState, Sighted, SignedCrash};
use shakedown_core::run::RunId;
use shakedown_core::signature::Signature;
use shakedown_core::time::Timestamp;

use crate::findings::word;
use crate::{Store, StoreError};

impl Store {
    /// Takes in a crash that `run` saw. Says what the sighting is to the run, or `None` where the run has seen this
    /// finding before.
    pub fn take_crash(&mut self, crash: &SignedCrash, run: &RunId) -> Result<Option<Sighted>, StoreError> {
        self.transact(|connection| take(connection, crash, run))
    }

    /// Takes in many crashes at once, or none of them.
    pub fn take_crashes(
        &mut self,
        crashes: &[SignedCrash],
        run: &RunId,
    ) -> Result<Vec<Option<Sighted>>, StoreError> {
        self.transact(|connection| crashes.iter().map(|crash| take(connection, crash, run)).collect())
    }

    /// The name of the finding that `signature` is known under.
    pub fn resolve(&self, signature: &Signature) -> Result<Signature, StoreError> {
        resolve(&self.connection, signature).map_err(|error| self.sqlite(error))
    }

    /// Makes `from` another name of the finding `into`. What was recorded under `from` becomes part of it.
    pub fn fold(
        &mut self,
        from: &Signature,
        into: &Signature,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.transact(|connection| {
            let into = resolve(connection, into)?;
            if *from == into {
                return Ok(());
            }
            let sql = "INSERT OR REPLACE INTO aliases (alias, finding, reason, at) VALUES (?1, ?2, ?3, ?4)";
            connection.execute(sql, params![from.as_str(), into.as_str(), reason, at.0.cast_signed()])?;
            if state_of(connection, from)?.is_none() {
                return Ok(());
            }
            if state_of(connection, &into)?.is_none() {
                connection.execute(COPY_UNDER_NEW_NAME, params![from.as_str(), into.as_str()])?;
            } else {
                connection.execute(ADD_UP, params![from.as_str(), into.as_str()])?;
            }
            for table in ["finding_targets", "finding_history", "crashes"] {
                let sql = format!("UPDATE OR IGNORE {table} SET signature = ?2 WHERE signature = ?1");
                connection.execute(&sql, params![from.as_str(), into.as_str()])?;
            }
            connection.execute("DELETE FROM finding_targets WHERE signature = ?1", [from.as_str()])?;
            connection.execute("DELETE FROM findings WHERE signature = ?1", [from.as_str()]).map(drop)
        })
    }

    /// Counts crashes of a finding that were recognised without being looked at again.
    pub fn count_crashes(&mut self, signature: &Signature, n: u64, at: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE findings SET n_crashes = n_crashes + ?2, last_seen = max(last_seen, ?3) WHERE signature = ?1";
        self.transact(|connection| {
            connection.execute(sql, params![signature.to_string(), n.cast_signed(), at.0.cast_signed()])
        })
        .map(drop)
    }

    /// Moves a finding to another state, by hand.
    pub fn set_finding_state(
        &mut self,
        signature: &Signature,
        state: FindingState,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.transact(|connection| {
            set_state(connection, signature, state)?;
            note(connection, signature, at, state, reason)
        })
    }
}

const COPY_UNDER_NEW_NAME: &str = "INSERT INTO findings SELECT ?2, state, kind, severity, title, place, n_crashes,
    first_seen, last_seen, first_run, last_run, n_same, n_tried, reproducer, reproducer_bytes, reproducer_target, log
    FROM findings WHERE signature = ?1";

const ADD_UP: &str = "UPDATE findings SET
    n_crashes = findings.n_crashes + other.n_crashes,
    last_seen = max(findings.last_seen, other.last_seen),
    first_run = CASE WHEN other.first_seen < findings.first_seen THEN other.first_run ELSE findings.first_run END,
    first_seen = min(findings.first_seen, other.first_seen)
    FROM (SELECT * FROM findings WHERE signature = ?1) AS other WHERE findings.signature = ?2";

fn take(connection: &Connection, crash: &SignedCrash, run: &RunId) -> rusqlite::Result<Option<Sighted>> {
    let crash = &SignedCrash { signature: resolve(connection, &crash.signature)?, ..crash.clone() };
    let sighted = match state_of(connection, &crash.signature)? {
        None => {
            insert_finding(connection, crash, run)?;
            note(connection, &crash.signature, crash.seen_at, FindingState::New, "first seen")?;
            Some(Sighted::New)
        }
        Some((_, last_run)) if last_run == run.as_str() => {
            update_finding(connection, crash, run)?;
            None
        }
        Some((state, _)) => {
            let (state_after, sighted) = state.seen_again();
            update_finding(connection, crash, run)?;
            set_state(connection, &crash.signature, state_after)?;
            if state_after != state {
                note(connection, &crash.signature, crash.seen_at, state_after, "seen again")?;
            }
            Some(sighted)
        }
    };
    insert_target(connection, crash)?;
    insert_crash(connection, crash, run)?;
    Ok(sighted)
}

/// Follows aliases. They point from newer names to older ones; the bound holds for a store that somebody edited.
fn resolve(connection: &Connection, signature: &Signature) -> rusqlite::Result<Signature> {
    const STEPS_MAX: usize = 16;
    let mut name = signature.clone();
    for _ in 0..STEPS_MAX {
        let sql = "SELECT finding FROM aliases WHERE alias = ?1";
        match connection.query_row(sql, [name.as_str()], |row| word(row, "finding")).optional()? {
            Some(next) => name = next,
            None => break,
        }
    }
    Ok(name)
}

fn state_of(
    connection: &Connection,
    signature: &Signature,
) -> rusqlite::Result<Option<(FindingState, String)>> {
    let sql = "SELECT state, last_run FROM findings WHERE signature = ?1";
    connection
        .query_row(sql, [signature.to_string()], |row| Ok((word(row, "state")?, row.get("last_run")?)))
        .optional()
}

fn set_state(connection: &Connection, signature: &Signature, state: FindingState) -> rusqlite::Result<()> {
    let sql = "UPDATE findings SET state = ?2 WHERE signature = ?1";
    connection.execute(sql, params![signature.to_string(), state.as_str()]).map(drop)
}

fn note(
    connection: &Connection,
    signature: &Signature,
    at: Timestamp,
    state: FindingState,
    reason: &str,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO finding_history (signature, at, state, reason) VALUES (?1, ?2, ?3, ?4)";
    connection
        .execute(sql, params![signature.to_string(), at.0.cast_signed(), state.as_str(), reason])
        .map(drop)
}

fn insert_finding(connection: &Connection, crash: &SignedCrash, run: &RunId) -> rusqlite::Result<()> {
    let sql = "INSERT INTO findings VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?7, ?8, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    let input = crash.input.as_ref();
    let values = params![
        crash.signature.to_string(),
        FindingState::New.as_str(),
        crash.kind.as_str(),
        crash.severity.as_str(),
        crash.title,
        crash.place,
        crash.seen_at.0.cast_signed(),
        run.as_str(),
        crash.reproducibility.n_same,
        crash.reproducibility.n_tried,
        input.map(|(id, _)| id.as_str()),
        input.map(|(_, n_bytes)| n_bytes.cast_signed()),
        input.map(|_| crash.target.as_str()),
        crash.log.as_str(),
    ];
    connection.execute(sql, values).map(drop)
}

/// Counts the crash; its input becomes the reproducer where it is the better one: one that works before one that does
/// not, then the smaller one.
fn update_finding(connection: &Connection, crash: &SignedCrash, run: &RunId) -> rusqlite::Result<()> {
    let signature = crash.signature.to_string();
    connection.execute(
        "UPDATE findings SET n_crashes = n_crashes + 1, last_seen = max(last_seen, ?2), last_run = ?3 WHERE signature = ?1",
        params![signature, crash.seen_at.0.cast_signed(), run.as_str()],
    )?;
    let severity: Severity =
        connection.query_row("SELECT severity FROM findings WHERE signature = ?1", [&signature], |row| {
            word(row, "severity")
        })?;
    if crash.severity > severity {
        connection.execute(
            "UPDATE findings SET severity = ?2 WHERE signature = ?1",
            params![signature, crash.severity.as_str()],
        )?;
    }
    let Some((input, n_bytes)) = &crash.input else { return Ok(()) };
    let sql = "UPDATE findings SET reproducer = ?2, reproducer_bytes = ?3, reproducer_target = ?4, log = ?5, n_same = ?6,
            n_tried = ?7, kind = ?8, title = ?9, place = ?10
        WHERE signature = ?1 AND (reproducer IS NULL OR (n_same = 0) > (?6 = 0)
            OR ((n_same = 0) = (?6 = 0) AND ?3 < reproducer_bytes))";
    let values = params![
        signature,
        input.as_str(),
        n_bytes.cast_signed(),
        crash.target.as_str(),
        crash.log.as_str(),
        crash.reproducibility.n_same,
        crash.reproducibility.n_tried,
        crash.kind.as_str(),
        crash.title,
        crash.place,
    ];
    connection.execute(sql, values).map(drop)
}

fn insert_target(connection: &Connection, crash: &SignedCrash) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO finding_targets (signature, target) VALUES (?1, ?2)";
    connection.execute(sql, params![crash.signature.to_string(), crash.target.as_str()]).map(drop)
}

fn insert_crash(connection: &Connection, crash: &SignedCrash, run: &RunId) -> rusqlite::Result<()> {
    let sql = "INSERT INTO crashes (signature, run, target, kind, title, place, input, input_bytes, log, n_same, n_tried, seen_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let input = crash.input.as_ref();
    let values = params![
        crash.signature.to_string(),
        run.as_str(),
        crash.target.as_str(),
        crash.kind.as_str(),
        crash.title,
        crash.place,
        input.map(|(id, _)| id.as_str()),
        input.map(|(_, n_bytes)| n_bytes.cast_signed()),
        crash.log.as_str(),
        crash.reproducibility.n_same,
        crash.reproducibility.n_tried,
        crash.seen_at.0.cast_signed(),
    ];
    connection.execute(sql, values).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{crash, run, store};
    use shakedown_core::finding::Reproducibility;
    use shakedown_core::input::InputId;
    use shakedown_core::run::sample;
    use shakedown_core::target::TargetName;

    #[test]
    fn a_finding_is_new_in_its_first_run_and_known_in_the_next() {
        let (_folder, mut store) = store();
        let boom = crash("boom", b"long input");
        assert_eq!(store.take_crash(&boom, &run("one")).unwrap(), Some(Sighted::New));
        assert_eq!(store.take_crash(&boom, &run("one")).unwrap(), None);
        assert_eq!(store.take_crash(&boom, &run("two")).unwrap(), Some(Sighted::Known));
        let found = store.findings().unwrap();
        assert_eq!((found.len(), found[0].n_crashes, found[0].state), (1, 3, FindingState::Known));
        assert_eq!(found[0].last_run, run("two"));
    }

    #[test]
    fn the_smallest_input_that_works_is_the_reproducer() {
        let (_folder, mut store) = store();
        store.take_crash(&crash("boom", b"long input"), &run("one")).unwrap();
        store.take_crash(&crash("boom", b"short"), &run("one")).unwrap();
        let flaky =
            SignedCrash { reproducibility: Reproducibility { n_same: 0, n_tried: 3 }, ..crash("boom", b"x") };
        store.take_crash(&flaky, &run("one")).unwrap();
        let reproducer = store.findings().unwrap().remove(0).reproducer.unwrap();
        assert_eq!((reproducer.input, reproducer.n_bytes), (InputId::of(b"short"), 5));
    }

    #[test]
    fn an_input_that_works_replaces_a_smaller_one_that_does_not() {
        let (_folder, mut store) = store();
        let flaky =
            SignedCrash { reproducibility: Reproducibility { n_same: 0, n_tried: 3 }, ..crash("boom", b"x") };
        store.take_crash(&flaky, &run("one")).unwrap();
        store.take_crash(&crash("boom", b"longer"), &run("one")).unwrap();
        let known = store.reproducers(&TargetName::new("parse")).unwrap();
        assert_eq!((known.len(), &known[0].input), (1, &InputId::of(b"longer")));
    }

    #[test]
    fn a_closed_finding_that_comes_back_is_reopened() {
        let (_folder, mut store) = store();
        let boom = crash("boom", b"input");
        store.take_crash(&boom, &run("one")).unwrap();
        store.set_finding_state(&boom.signature, FindingState::Fixed, "by hand", Timestamp(2000)).unwrap();
        assert_eq!(store.take_crash(&boom, &run("two")).unwrap(), Some(Sighted::Reopened));
        assert_eq!(store.take_crash(&boom, &run("three")).unwrap(), Some(Sighted::Known));
        assert_eq!(store.findings().unwrap()[0].state, FindingState::Reopened);
    }

    #[test]
    fn crashes_that_were_only_counted_add_up() {
        let (_folder, mut store) = store();
        let boom = crash("boom", b"input");
        store.take_crash(&boom, &run("one")).unwrap();
        store.count_crashes(&boom.signature, 41, Timestamp(9000)).unwrap();
        let found = store.findings().unwrap().remove(0);
        assert_eq!((found.n_crashes, found.last_seen), (42, Timestamp(9000)));
    }

    #[test]
    fn a_finding_that_is_folded_into_another_lives_on_under_its_name() {
        let (_folder, mut store) = store();
        let (one, two) =
            (crash("one", b"1"), SignedCrash { target: TargetName::new("other"), ..crash("two", b"2") });
        store.take_crash(&one, &run("one")).unwrap();
        store.take_crash(&two, &run("one")).unwrap();
        store.fold(&two.signature, &one.signature, "one loop", Timestamp(5)).unwrap();
        let found = store.findings().unwrap();
        assert_eq!((found.len(), found[0].n_crashes, found[0].targets.len()), (1, 2, 2));
        // From now on the folded signature is known under the other name.
        assert_eq!(store.take_crash(&two, &run("two")).unwrap(), Some(Sighted::Known));
        assert_eq!(store.findings().unwrap()[0].n_crashes, 3);
    }

    #[test]
    fn a_finding_can_move_to_a_name_that_is_new() {
        let (_folder, mut store) = store();
        let old = crash("old", b"1");
        store.take_crash(&old, &run("one")).unwrap();
        let new = sample::signature("new version");
        store.fold(&old.signature, &new, "version 2", Timestamp(5)).unwrap();
        assert_eq!(store.findings().unwrap()[0].signature, new);
        assert_eq!(store.resolve(&old.signature).unwrap(), new);
    }

    #[test]
    fn aliases_that_run_in_a_circle_end() {
        let (_folder, store) = store();
        let (one, two) = (sample::signature("one"), sample::signature("two"));
        for (alias, finding) in [(&one, &two), (&two, &one)] {
            let sql = "INSERT INTO aliases VALUES (?1, ?2, 'edited by hand', 0)";
            store.connection.execute(sql, params![alias.as_str(), finding.as_str()]).unwrap();
        }
        store.resolve(&one).unwrap();
    }
}
