//! Why something could not be remembered or recalled, with the way out.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why something could not be remembered or recalled.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder of the store cannot be read or written.
    #[error("failed to access `{}`", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A newer version of this program made the store.
    #[error("the store `{}` was made by a newer shakedown (its format is {found}, this one knows up to {known})", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// The format that it has.
        found: i64,
        /// The newest format that we know.
        known: i64,
    },
    /// The database is no database, or its pages do not fit together.
    #[error("the store `{}` is damaged", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// There is no room for more.
    #[error("no room left on the disk of the store `{}`", path.display())]
    Full {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Another process kept the database locked for too long.
    #[error("another process keeps the store `{}` locked", path.display())]
    Locked {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Anything else that SQLite refused.
    #[error("failed to use the store `{}`", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A record of the store cannot be understood.
    #[error("failed to understand {what} in the store `{}`", path.display())]
    Record {
        /// The database.
        path: PathBuf,
        /// Which record.
        what: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An object is not there.
    #[error("the store has no object `{id}`")]
    NoObject {
        /// Its name.
        id: String,
    },
    /// An object's bytes do not fit its name.
    #[error("the object `{}` is damaged: its bytes do not fit its name", path.display())]
    DamagedObject {
        /// The file.
        path: PathBuf,
    },
}

impl StoreError {
    /// Sorts SQLite's answer by what a user can do about it.
    pub(crate) fn from_sqlite(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_path_buf();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged { path, source },
            Some(ErrorCode::DiskFull) => Self::Full { path, source },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path, source },
            Some(_) | None => Self::Database { path, source },
        }
    }

    /// What to do about it, if there is something.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Newer { .. } => Some(
                "update shakedown, or give this version a store of its own with `--state DIR`".to_owned(),
            ),
            Self::Damaged { path, .. } => Some(format!(
                "move it away (`mv {0} {0}.damaged`): history is lost, inputs, corpora and baselines are not",
                path.display()
            )),
            Self::Full { .. } => {
                Some("make room, then run again: nothing that was recorded is lost".to_owned())
            }
            Self::Locked { .. } => {
                Some("see who uses it with `fuser`, or wait for the other run to end".to_owned())
            }
            Self::DamagedObject { path } => Some(format!("remove it: `rm {}`", path.display())),
            Self::File { .. } => Some("`--state DIR` names another folder for what is remembered".to_owned()),
            Self::Database { .. } | Self::Record { .. } | Self::NoObject { .. } => None,
        }
    }
}
