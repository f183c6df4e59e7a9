//! The store: one folder of a project, shared by all its runs, also by several at once.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use crate::objects::Objects;
use crate::{StoreError, schema};

/// How long a process waits for another one's transaction. Ours take milliseconds.
const BUSY_TIME_MAX: Duration = Duration::from_secs(20);

/// Everything that is remembered about a project.
#[derive(Debug)]
pub struct Store {
    pub(crate) path: PathBuf,
    pub(crate) connection: Connection,
    objects: Objects,
}

impl Store {
    /// Opens the store in `folder`, or makes one there.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        if !folder.exists() {
            std::fs::create_dir_all(folder)
                .map_err(|source| StoreError::File { path: folder.to_path_buf(), source })?;
            hide_from_git(folder)?;
        }
        let path = folder.join("store.db");
        let sqlite = |source| StoreError::from_sqlite(&path, source);
        let mut connection = Connection::open(&path).map_err(sqlite)?;
        connection.busy_timeout(BUSY_TIME_MAX).map_err(sqlite)?;
        // WAL: readers don't wait for the writer, and a kill in the middle of a transaction leaves nothing of it. FULL: what
        // was committed survives also a power cut.
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
            .map_err(sqlite)?;
        schema::migrate(&mut connection, &path)?;
        let objects = Objects::new(folder.join("objects"));
        Ok(Self { path, connection, objects })
    }

    /// The files named by their bytes.
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// Runs `work` in one transaction that no other writer can come between.
    pub(crate) fn transact<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let path = self.path.clone();
        let sqlite = |source| StoreError::from_sqlite(&path, source);
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite)?;
        let value = work(&transaction).map_err(sqlite)?;
        transaction.commit().map_err(sqlite)?;
        Ok(value)
    }

    pub(crate) fn sqlite(&self, source: rusqlite::Error) -> StoreError {
        StoreError::from_sqlite(&self.path, source)
    }

    pub(crate) fn record(
        &self,
        what: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> StoreError {
        StoreError::Record { path: self.path.clone(), what: what.into(), source: source.into() }
    }
}

/// A folder that ignores itself needs no line in the project's `.gitignore`, which is not ours to write. Only for a folder
/// that we made: `--state` may name one that holds other things.
fn hide_from_git(folder: &Path) -> Result<(), StoreError> {
    let path = folder.join(".gitignore");
    match std::fs::OpenOptions::new().write(true).create_new(true).open(&path) {
        Ok(mut file) => file.write_all(b"*\n").map_err(|source| StoreError::File { path, source }),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(StoreError::File { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_no_news_to_git() {
        let folder = tempfile::tempdir().unwrap();
        let ours = folder.path().join("new");
        drop(Store::open(&ours).unwrap());
        assert_eq!(std::fs::read_to_string(ours.join(".gitignore")).unwrap(), "*\n");
        drop(Store::open(folder.path()).unwrap());
        assert!(!folder.path().join(".gitignore").exists());
    }

    #[test]
    fn a_store_of_a_newer_version_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.connection.pragma_update(None, "user_version", 99).unwrap();
        drop(store);
        let error = Store::open(folder.path()).unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
        assert!(error.hint().unwrap().contains("update shakedown"));
    }

    #[test]
    fn a_damaged_store_says_how_to_move_it_away() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("store.db"), b"this is not a database, not even nearly one")
            .unwrap();
        let error = Store::open(folder.path()).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
        assert!(error.hint().unwrap().contains("mv "));
    }

    #[test]
    fn a_half_overwritten_store_is_damaged_and_not_empty() {
        let folder = tempfile::tempdir().unwrap();
        drop(Store::open(folder.path()).unwrap());
        let path = folder.path().join("store.db");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[100..2000].fill(0xff);
        std::fs::write(&path, bytes).unwrap();
        assert!(matches!(Store::open(folder.path()), Err(StoreError::Damaged { .. })));
    }

    #[test]
    fn two_processes_can_open_a_new_store_at_once() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| Store::open(folder.path()).unwrap());
            }
        });
    }
}
