//! Inputs and logs as files named by the SHA-256 of their bytes, `objects/ab/abcdef…`.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use shakedown_core::input::InputId;

use crate::StoreError;

/// A larger file was not written by us: no input or log is.
const OBJECT_BYTES_MAX: u64 = 256 << 20;

/// The folder of objects.
#[derive(Debug, Clone)]
pub struct Objects {
    folder: PathBuf,
}

impl Objects {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where the object is or would be.
    pub fn path(&self, id: &InputId) -> PathBuf {
        self.folder.join(&id.as_str()[..2]).join(id.as_str())
    }

    /// Keeps `bytes`. When this returns they are on the disk, whatever happens next.
    pub fn put(&self, bytes: &[u8]) -> Result<InputId, StoreError> {
        let id = InputId::of(bytes);
        let path = self.path(&id);
        if !path.exists() {
            write(&path, bytes, Durability::Always).map_err(|source| StoreError::File { path, source })?;
        }
        Ok(id)
    }

    /// Keeps `bytes` that can be had again: after a power cut the object may be missing or damaged, which is noticed. Many
    /// times faster than [`Objects::put`].
    pub fn put_copy(&self, bytes: &[u8]) -> Result<InputId, StoreError> {
        let id = InputId::of(bytes);
        let path = self.path(&id);
        if !path.exists() {
            write(&path, bytes, Durability::UntilPowerCut)
                .map_err(|source| StoreError::File { path, source })?;
        }
        Ok(id)
    }

    /// The object's bytes, checked against its name.
    pub fn get(&self, id: &InputId) -> Result<Vec<u8>, StoreError> {
        let path = self.path(id);
        let mut bytes = Vec::new();
        match File::open(&path).and_then(|file| file.take(OBJECT_BYTES_MAX).read_to_end(&mut bytes)) {
            Ok(_) if InputId::of(&bytes) == *id => Ok(bytes),
            Ok(_) => Err(StoreError::DamagedObject { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(StoreError::NoObject { id: id.to_string() })
            }
            Err(source) => Err(StoreError::File { path, source }),
        }
    }
}

/// What a file survives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Durability {
    Always,
    UntilPowerCut,
}

/// Writes a file through a temporary one beside it: a reader, or a kill at any moment, sees the old one or the new one.
fn write(path: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(bytes)?;
    if durability == Durability::Always {
        temporary.as_file().sync_all()?;
    }
    temporary.persist(path).map_err(|error| error.error)?;
    match durability {
        // The name is safe only when the folder is.
        Durability::Always => File::open(folder)?.sync_all(),
        Durability::UntilPowerCut => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::new(folder.path().to_path_buf());
        let id = objects.put(b"boom").unwrap();
        assert_eq!(objects.put(b"boom").unwrap(), id);
        assert_eq!(objects.get(&id).unwrap(), b"boom");
    }

    #[test]
    fn a_damaged_object_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::new(folder.path().to_path_buf());
        let id = objects.put(b"boom").unwrap();
        std::fs::write(objects.path(&id), b"bo").unwrap();
        assert!(matches!(objects.get(&id), Err(StoreError::DamagedObject { .. })));
        let unknown = InputId::of(b"never put");
        assert!(matches!(objects.get(&unknown), Err(StoreError::NoObject { .. })));
    }
}
