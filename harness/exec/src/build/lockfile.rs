//! Keeps a project's `Cargo.lock` as it was: cargo writes one where there is none, and updates one that is out of date.
//!
//! What the file was is written down before cargo starts, so that a run that is killed leaves the next one a way to put it
//! back. Several processes may build one crate at once; the last one that leaves puts the file back.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use shakedown_core::input::InputId;

/// Remembers a lock file for the time of a build. It is put back by [`LockfileKeeper::restore`], and also on a panic or
/// an early return; after a kill, by the next build.
pub(super) struct LockfileKeeper {
    lockfile: PathBuf,
    /// What it was, from before the first of the builds that are going on.
    record: PathBuf,
    /// Where the lock file of a project without one is kept, so that its builds stay the same from run to run.
    ours: PathBuf,
    /// Shared by all who build now; `None` once it is given back.
    user: Option<Flock<File>>,
}

impl LockfileKeeper {
    pub(super) fn take(lockfile: &Path, locks: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(locks)?;
        let name = InputId::of(lockfile.as_os_str().as_bytes());
        let name = &name.as_str()[..16];
        let users = File::create(locks.join(format!("{name}.users")))?;
        // Whoever holds it alone holds it for the time of copying one file.
        let user = Flock::lock(users, FlockArg::LockShared).map_err(|(_, errno)| io::Error::from(errno))?;
        let record = locks.join(format!("{name}.before"));
        if !record.exists() {
            write_once(&record, &Before::of(read_if_any(lockfile)?).to_bytes())?;
        }
        let ours = locks.join(format!("{name}.lock"));
        if !lockfile.exists()
            && let Some(kept) = read_if_any(&ours)?
        {
            std::fs::write(lockfile, kept)?;
        }
        Ok(Self { lockfile: lockfile.to_path_buf(), record, ours, user: Some(user) })
    }

    /// Puts the lock file back as it was, and says so where that is news.
    pub(super) fn restore(mut self) -> io::Result<Option<String>> {
        self.put_back()
    }

    fn put_back(&mut self) -> io::Result<Option<String>> {
        let Some(user) = self.user.take() else { return Ok(None) };
        if user.relock(FlockArg::LockExclusiveNonblock).is_err() {
            // Somebody else still builds, and will do it.
            return Ok(None);
        }
        let Some(record) = read_if_any(&self.record)? else { return Ok(None) };
        let notice = self.put_back_to(Before::from_bytes(&record))?;
        std::fs::remove_file(&self.record)?;
        Ok(notice)
    }

    fn put_back_to(&self, before: Before) -> io::Result<Option<String>> {
        match (before, read_if_any(&self.lockfile)?) {
            (Before::Absent, Some(made)) => {
                std::fs::write(&self.ours, made)?;
                std::fs::remove_file(&self.lockfile)?;
                Ok(None)
            }
            (Before::Present(before), after) if after.as_ref() != Some(&before) => {
                std::fs::write(&self.lockfile, before)?;
                let shown = self.lockfile.display();
                Ok(Some(format!(
                    "`{shown}` is out of date; built with an updated copy and left yours as it was"
                )))
            }
            (Before::Absent, None) | (Before::Present(_), _) => Ok(None),
        }
    }
}

impl Drop for LockfileKeeper {
    fn drop(&mut self) {
        // There is nobody to tell: the error that brought us here is the one that matters.
        drop(self.put_back());
    }
}

/// What a lock file was before we built.
enum Before {
    Absent,
    Present(Vec<u8>),
}

impl Before {
    fn of(bytes: Option<Vec<u8>>) -> Self {
        bytes.map_or(Self::Absent, Self::Present)
    }

    /// One byte that says whether there was a file, then the file.
    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Absent => b"-".to_vec(),
            Self::Present(bytes) => [b"+", bytes.as_slice()].concat(),
        }
    }

    fn from_bytes(record: &[u8]) -> Self {
        record.strip_prefix(b"+").map_or(Self::Absent, |bytes| Self::Present(bytes.to_vec()))
    }
}

/// Writes a file whole or not at all; one that another process wrote a moment ago stays.
fn write_once(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temporary = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    temporary.write_all(bytes)?;
    match temporary.persist_noclobber(path) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn read_if_any(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_that_cargo_made_moves_to_our_side_and_serves_the_next_build() {
        let folder = tempfile::tempdir().unwrap();
        let (lockfile, locks) = (folder.path().join("Cargo.lock"), folder.path().join("locks"));
        let keeper = LockfileKeeper::take(&lockfile, &locks).unwrap();
        std::fs::write(&lockfile, "made").unwrap();
        assert_eq!(keeper.restore().unwrap(), None);
        assert!(!lockfile.exists());

        let keeper = LockfileKeeper::take(&lockfile, &locks).unwrap();
        assert_eq!(std::fs::read_to_string(&lockfile).unwrap(), "made");
        drop(keeper);
        assert!(!lockfile.exists());
    }

    #[test]
    fn an_outdated_lock_file_is_put_back_and_said() {
        let folder = tempfile::tempdir().unwrap();
        let lockfile = folder.path().join("Cargo.lock");
        std::fs::write(&lockfile, "old").unwrap();
        let keeper = LockfileKeeper::take(&lockfile, &folder.path().join("locks")).unwrap();
        std::fs::write(&lockfile, "updated").unwrap();
        assert!(keeper.restore().unwrap().unwrap().contains("out of date"));
        assert_eq!(std::fs::read_to_string(&lockfile).unwrap(), "old");
    }

    #[test]
    fn a_build_that_was_killed_is_cleaned_up_by_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let (lockfile, locks) = (folder.path().join("Cargo.lock"), folder.path().join("locks"));
        let mut killed = LockfileKeeper::take(&lockfile, &locks).unwrap();
        std::fs::write(&lockfile, "made").unwrap();
        // A kill gives the lock back and runs nothing else.
        drop(killed.user.take());
        drop(killed);
        assert!(lockfile.exists());
        assert_eq!(LockfileKeeper::take(&lockfile, &locks).unwrap().restore().unwrap(), None);
        assert!(!lockfile.exists());
    }

    #[test]
    fn of_two_builds_at_once_the_last_one_puts_the_file_back() {
        let folder = tempfile::tempdir().unwrap();
        let (lockfile, locks) = (folder.path().join("Cargo.lock"), folder.path().join("locks"));
        std::fs::write(&lockfile, "old").unwrap();
        let first = LockfileKeeper::take(&lockfile, &locks).unwrap();
        std::fs::write(&lockfile, "updated").unwrap();
        let second = LockfileKeeper::take(&lockfile, &locks).unwrap();
        assert_eq!(first.restore().unwrap(), None);
        assert_eq!(std::fs::read_to_string(&lockfile).unwrap(), "updated");
        assert!(second.restore().unwrap().is_some());
        assert_eq!(std::fs::read_to_string(&lockfile).unwrap(), "old");
    }
}
