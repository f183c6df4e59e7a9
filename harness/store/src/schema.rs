//! The tables, and how an older store becomes a current one.
//!
//! `PRAGMA user_version` counts the migrations that a store has seen. A migration is never changed after a release; a new
//! one is added at the end.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::StoreError;

/// Times are milliseconds since 1970 in UTC; words are those of `core` (`FindingState::as_str` and its like).
const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        started_at INTEGER NOT NULL,
        command TEXT NOT NULL,
        -- The run as JSON (see `format`), once it has ended. A run that was killed has none.
        body TEXT
    ) STRICT;

    CREATE TABLE findings (
        signature TEXT PRIMARY KEY,
        state TEXT NOT NULL,
        kind TEXT NOT NULL,
        severity TEXT NOT NULL,
        title TEXT NOT NULL,
        place TEXT,
        n_crashes INTEGER NOT NULL,
        first_seen INTEGER NOT NULL,
        last_seen INTEGER NOT NULL,
        first_run TEXT NOT NULL,
        last_run TEXT NOT NULL,
        n_same INTEGER NOT NULL,
        n_tried INTEGER NOT NULL,
        reproducer TEXT,
        reproducer_bytes INTEGER,
        reproducer_target TEXT,
        log TEXT NOT NULL
    ) STRICT;

    CREATE TABLE finding_targets (
        signature TEXT NOT NULL REFERENCES findings,
        target TEXT NOT NULL,
        PRIMARY KEY (signature, target)
    ) STRICT;

    -- Signatures that turned out to be a finding with another name: by a merge, or by a new version of the algorithm.
    CREATE TABLE aliases (
        alias TEXT PRIMARY KEY,
        finding TEXT NOT NULL,
        reason TEXT NOT NULL,
        at INTEGER NOT NULL
    ) STRICT;

    -- What was triaged before, so that doing it again costs nothing: `subject` names the content (and the program that it
    -- was run in), `line` is the crash as JSON (core::crash::wire), or NULL where there was none.
    CREATE TABLE triaged (
        subject TEXT PRIMARY KEY,
        line TEXT
    ) STRICT;

    CREATE TABLE finding_history (
        signature TEXT NOT NULL REFERENCES findings,
        at INTEGER NOT NULL,
        state TEXT NOT NULL,
        reason TEXT NOT NULL
    ) STRICT;

    CREATE TABLE crashes (
        id INTEGER PRIMARY KEY,
        signature TEXT NOT NULL REFERENCES findings,
        run TEXT NOT NULL REFERENCES runs,
        target TEXT NOT NULL,
        kind TEXT NOT NULL,
        title TEXT NOT NULL,
        place TEXT,
        input TEXT,
        input_bytes INTEGER,
        log TEXT NOT NULL,
        n_same INTEGER NOT NULL,
        n_tried INTEGER NOT NULL,
        seen_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX crashes_by_signature ON crashes (signature);

    CREATE TABLE measurements (
        run TEXT NOT NULL REFERENCES runs,
        subject TEXT NOT NULL,
        metric TEXT NOT NULL,
        unit TEXT NOT NULL,
        value REAL NOT NULL,
        PRIMARY KEY (run, subject, metric)
    ) STRICT;
"];

/// The newest format that this version knows.
pub(crate) const VERSION: i64 = 1;
const _: () = assert!(MIGRATIONS.len() == 1, "one migration a version");

/// Brings the store to the current format. Two processes that come at once take turns.
pub(crate) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let sqlite = |source| StoreError::from_sqlite(path, source);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite)?;
    let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(sqlite)?;
    let n_seen = usize::try_from(found).unwrap_or(usize::MAX);
    if n_seen > MIGRATIONS.len() {
        return Err(StoreError::Newer { path: path.to_path_buf(), found, known: VERSION });
    }
    for migration in &MIGRATIONS[n_seen..] {
        transaction.execute_batch(migration).map_err(sqlite)?;
    }
    transaction.pragma_update(None, "user_version", VERSION).map_err(sqlite)?;
    transaction.commit().map_err(sqlite)
}
