//! Keeps a project's `Cargo.lock` as it was: cargo writes one where there is none, and updates one that is out of date.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use shakedown_core::input::InputId;

/// Remembers a lock file for the time of a build. It is put back by [`LockfileKeeper::restore`], and also on a panic or
/// an early return.
pub(super) struct LockfileKeeper {
    lockfile: PathBuf,
    /// What it was; `None` where there was none.
    before: Option<Vec<u8>>,
    /// Where the lock file of a project without one is kept, so that its builds stay the same from run to run.
    ours: PathBuf,
    is_restored: bool,
}

impl LockfileKeeper {
    pub(super) fn take(lockfile: &Path, locks: &Path) -> io::Result<Self> {
        let before = read_if_any(lockfile)?;
        let name = InputId::of(lockfile.as_os_str().as_bytes());
        let ours = locks.join(format!("{}.lock", &name.as_str()[..16]));
        if before.is_none()
            && let Some(kept) = read_if_any(&ours)?
        {
            std::fs::write(lockfile, kept)?;
        }
        Ok(Self { lockfile: lockfile.to_path_buf(), before, ours, is_restored: false })
    }

    /// Puts the lock file back as it was, and says so where that is news.
    pub(super) fn restore(mut self) -> io::Result<Option<String>> {
        self.put_back()
    }

    fn put_back(&mut self) -> io::Result<Option<String>> {
        self.is_restored = true;
        let after = read_if_any(&self.lockfile)?;
        match (&self.before, after) {
            (None, Some(made)) => {
                if let Some(folder) = self.ours.parent() {
                    std::fs::create_dir_all(folder)?;
                }
                std::fs::write(&self.ours, made)?;
                std::fs::remove_file(&self.lockfile)?;
                Ok(None)
            }
            (Some(before), after) if after.as_ref() != Some(before) => {
                std::fs::write(&self.lockfile, before)?;
                let shown = self.lockfile.display();
                Ok(Some(format!(
                    "`{shown}` is out of date; built with an updated copy and left yours as it was"
                )))
            }
            (None, None) | (Some(_), _) => Ok(None),
        }
    }
}

impl Drop for LockfileKeeper {
    fn drop(&mut self) {
        if !self.is_restored {
            // There is nobody to tell: the error that brought us here is the one that matters.
            drop(self.put_back());
        }
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
}
