//! Runs: begun before anything else happens, told whole when they end.

use rusqlite::{OptionalExtension, params};
use shakedown_core::run::{Run, RunId, TargetState};
use shakedown_core::time::Timestamp;

use crate::format::StoredRun;
use crate::{Store, StoreError};

/// A run as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSummary {
    /// Its name.
    pub id: RunId,
    /// When it started.
    pub started_at: Timestamp,
    /// The words that started it.
    pub command: String,
    /// Whether it ended by itself: one that was killed has findings, but no report.
    pub has_ended: bool,
}

impl Store {
    /// Notes that a run begins, so that its findings have somewhere to belong whatever happens to it.
    pub fn begin_run(&mut self, id: &RunId, started_at: Timestamp, command: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO runs (id, started_at, command) VALUES (?1, ?2, ?3)";
        self.transact(|connection| {
            connection.execute(sql, params![id.as_str(), started_at.0.cast_signed(), command])
        })
        .map(drop)
    }

    /// Keeps a run that has ended, and what it measured.
    pub fn finish_run(&mut self, run: &Run) -> Result<(), StoreError> {
        let body =
            serde_json::to_string(&StoredRun::from(run)).map_err(|error| self.record("a run", error))?;
        self.transact(|connection| {
            connection.execute("UPDATE runs SET body = ?2 WHERE id = ?1", params![run.id.as_str(), body])?;
            let sql = "INSERT OR REPLACE INTO measurements (run, subject, metric, unit, value) VALUES (?1, ?2, ?3, ?4, ?5)";
            let mut statement = connection.prepare(sql)?;
            for target in run.targets.iter().filter(|target| target.state == TargetState::Measured) {
                let metrics = [
                    ("executions_per_second", "1/s", target.executions_per_second()),
                    ("coverage", "edges", target.coverage as f64),
                    ("features", "features", target.features as f64),
                    ("corpus", "inputs", target.corpus_inputs as f64),
                ];
                for (metric, unit, value) in metrics {
                    statement.execute(params![run.id.as_str(), target.name.as_str(), metric, unit, value])?;
                }
            }
            Ok(())
        })
    }

    /// All runs, newest first.
    pub fn runs(&self) -> Result<Vec<RunSummary>, StoreError> {
        let sql =
            "SELECT id, started_at, command, body IS NOT NULL FROM runs ORDER BY started_at DESC, id DESC";
        self.connection
            .prepare(sql)
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| {
                        Ok(RunSummary {
                            id: RunId::from_text(row.get::<_, String>(0)?),
                            started_at: Timestamp(row.get::<_, i64>(1)?.cast_unsigned()),
                            command: row.get(2)?,
                            has_ended: row.get(3)?,
                        })
                    })?
                    .collect()
            })
            .map_err(|error| self.sqlite(error))
    }

    /// A run that has ended: the one whose name begins with `prefix`, the newest of several.
    pub fn run(&self, prefix: &str) -> Result<Option<Run>, StoreError> {
        let sql = "SELECT body FROM runs WHERE body IS NOT NULL AND substr(id, 1, length(?1)) = ?1
            ORDER BY started_at DESC, id DESC LIMIT 1";
        let body: Option<String> = self
            .connection
            .query_row(sql, [prefix], |row| row.get(0))
            .optional()
            .map_err(|error| self.sqlite(error))?;
        body.map(|body| {
            let stored: StoredRun =
                serde_json::from_str(&body).map_err(|error| self.record("a run", error))?;
            Run::try_from(stored).map_err(|error| self.record("a run", error))
        })
        .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shakedown_core::run::sample;

    #[test]
    fn a_run_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let run = sample::run();
        store.begin_run(&run.id, run.started_at, &run.command).unwrap();
        assert_eq!(store.run("").unwrap(), None);
        store.finish_run(&run).unwrap();
        assert_eq!(store.run(&run.id.as_str()[..8]).unwrap(), Some(run));
    }

    #[test]
    fn a_killed_run_is_listed_as_not_ended() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        store.begin_run(&RunId::from_text("killed"), Timestamp(5), "shakedown run").unwrap();
        drop(store);
        let runs = Store::open(folder.path()).unwrap().runs().unwrap();
        assert_eq!((runs.len(), runs[0].has_ended), (1, false));
    }
}
