//! What a fuzzing process leaves in files: notes of the panics that it went on after, and its state.
//!
//! Any number of processes share a folder of notes. Files that make no sense are skipped: the target could write there.

use std::io;
use std::path::Path;

use super::crash::{EndKind, RawCrash};
use super::wire::{self, INPUT_BYTES_MAX, Nonsense, Reader};
use crate::corpus::read_bounded;

const NOTE_BYTES_MAX: u64 = INPUT_BYTES_MAX as u64 + (1 << 20);
const NOTE_MAGIC: &[u8] = b"SHKDNOTE";
const STATE_MAGIC: &[u8] = b"SHKDSTAT";
const CURRENT_BYTES_MAX: usize = 1 << 20;

/// A panic that was caught while fuzzing, and an input that leads to it. It is to be confirmed alone: what ran before
/// in its process can have been the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// How it ended.
    pub crash: RawCrash,
    /// The input.
    pub input: Vec<u8>,
}

/// What a fuzzing process says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Executions, over all restarts.
    pub n_executions: u64,
    /// Panics caught, over all restarts.
    pub n_panics: u64,
    /// How often it began anew because a panic may have spoilt it.
    pub n_restarts: u64,
    /// The input that the target was running, if it was: after a death, the culprit. `None` as well if it is too large
    /// to be there.
    pub current: Option<Vec<u8>>,
}

/// The notes in `folder`, in the order of their names: by site, then by when they were written.
pub fn read(folder: &Path) -> io::Result<Vec<Note>> {
    let mut names: Vec<_> = std::fs::read_dir(folder)?
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "note"))
        .collect();
    names.sort();
    let bytes = names.iter().filter_map(|path| read_bounded(path, NOTE_BYTES_MAX).ok().flatten());
    Ok(bytes.filter_map(|bytes| decode_note(&bytes).ok()).collect())
}

fn decode_note(bytes: &[u8]) -> Result<Note, Nonsense> {
    let mut reader = Reader(bytes.strip_prefix(NOTE_MAGIC).ok_or(Nonsense)?);
    if reader.u32()? != shakedown_driver::PROTOCOL_VERSION {
        return Err(Nonsense);
    }
    let kind = EndKind::from_number(reader.u8()?).filter(|kind| kind.is_bad()).ok_or(Nonsense)?;
    let crash = wire::crash(&mut reader, kind)?;
    let input = reader.blob(INPUT_BYTES_MAX)?.to_vec();
    Ok(Note { crash, input })
}

/// The state in the file at `path`; `None` if there is none.
pub fn state(path: &Path) -> io::Result<Option<State>> {
    let bytes = match read_bounded(path, 2 * CURRENT_BYTES_MAX as u64) {
        Ok(bytes) => bytes.unwrap_or_default(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(decode_state(&bytes).ok())
}

fn decode_state(bytes: &[u8]) -> Result<State, Nonsense> {
    let mut reader = Reader(bytes.strip_prefix(STATE_MAGIC).ok_or(Nonsense)?);
    let (version, _pid) = (reader.u32()?, reader.u32()?);
    if version != shakedown_driver::PROTOCOL_VERSION {
        return Err(Nonsense);
    }
    let (n_executions, n_panics, _n_sites) = (reader.u64()?, reader.u64()?, reader.u64()?);
    let n_restarts = reader.u64()?;
    let is_running = reader.u32()? != 0;
    let current = reader.blob(CURRENT_BYTES_MAX).ok().filter(|_| is_running).map(<[u8]>::to_vec);
    Ok(State { n_executions, n_panics, n_restarts, current })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_no_notes_are_skipped() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.note"), b"SHKDNOTE\x01\0\0\0\xff").unwrap();
        std::fs::write(folder.path().join("b.note"), b"").unwrap();
        std::fs::write(folder.path().join("README"), b"hello").unwrap();
        assert_eq!(read(folder.path()).unwrap(), []);
    }

    #[test]
    fn the_input_that_was_running_is_the_culprit() {
        let mut bytes = STATE_MAGIC.to_vec();
        bytes.extend([1, 0, 0, 0, 9, 0, 0, 0]);
        for number in [10_u64, 3, 1, 0] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend([1, 0, 0, 0, 2, 0, 0, 0]);
        bytes.extend(b"xy and what an earlier input left");
        let state = decode_state(&bytes).unwrap();
        assert_eq!((state.n_executions, state.n_panics), (10, 3));
        assert_eq!(state.current.as_deref(), Some(b"xy".as_slice()));
    }
}
