//! What was triaged before: content that is known needs no second look.

use rusqlite::{OptionalExtension, params};

use crate::{Store, StoreError};

impl Store {
    /// What triage said of `subject`: `None` where it has not seen it, `Some(None)` where there was no crash.
    pub fn triaged(&self, subject: &str) -> Result<Option<Option<String>>, StoreError> {
        let sql = "SELECT line FROM triaged WHERE subject = ?1";
        self.connection
            .query_row(sql, [subject], |row| row.get(0))
            .optional()
            .map_err(|error| self.sqlite(error))
    }

    /// Remembers what triage said of each subject.
    pub fn remember_triaged(&mut self, entries: &[(String, Option<String>)]) -> Result<(), StoreError> {
        self.transact(|connection| {
            let sql = "INSERT OR REPLACE INTO triaged (subject, line) VALUES (?1, ?2)";
            let mut statement = connection.prepare(sql)?;
            entries.iter().try_for_each(|(subject, line)| statement.execute(params![subject, line]).map(drop))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_without_a_crash_is_remembered_too() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let entries = [("a".to_owned(), Some("{}".to_owned())), ("b".to_owned(), None)];
        store.remember_triaged(&entries).unwrap();
        assert_eq!(store.triaged("a").unwrap(), Some(Some("{}".to_owned())));
        assert_eq!(store.triaged("b").unwrap(), Some(None));
        assert_eq!(store.triaged("c").unwrap(), None);
    }
}
