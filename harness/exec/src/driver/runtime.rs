//! Puts the runtime that catches panics into a copy of the user's own libfuzzer-sys, for [`super::wrapper`] to compile.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use shakedown_core::input::InputId;
use shakedown_driver::substitute::{RUNTIME, Unrecognised, substitute};

/// Why panics end the process of this project's targets. Everything else works.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The text can't be read, or the copy not written.
    #[error("failed to copy libfuzzer-sys's `{}`", path.display())]
    Copy {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is a version that we don't know how to change.
    #[error("failed to find the way out of the target in libfuzzer-sys's `{}`", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// What is missing.
        source: Unrecognised,
    },
}

/// What [`super::wrapper`] compiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    /// libfuzzer-sys's own `src/lib.rs`.
    pub original: PathBuf,
    /// The changed copy of it.
    pub substitute: PathBuf,
    /// The crate that the copy calls.
    pub runtime: PathBuf,
}

impl Sources {
    /// Names what is compiled. Cargo doesn't know that a wrapper substitutes: builds with different sources, or with none,
    /// need different target directories.
    pub fn key(&self) -> String {
        // `NAME/PACKAGE/src/lib.rs`, see `prepare`.
        let folder = self.substitute.ancestors().nth(3).and_then(Path::file_name).unwrap_or_default();
        folder.to_string_lossy().into_owned()
    }
}

/// Copies `lib_rs` (libfuzzer-sys's `src/lib.rs`, as `cargo metadata` knows it), changed, into the folder `cache`, and
/// the runtime beside it.
pub fn prepare(lib_rs: &Path, cache: &Path) -> Result<Sources, RuntimeError> {
    let copy_error = |path: &Path| {
        let path = path.to_path_buf();
        move |source| RuntimeError::Copy { path, source }
    };
    let text = std::fs::read_to_string(lib_rs).map_err(copy_error(lib_rs))?;
    let changed =
        substitute(&text).map_err(|source| RuntimeError::Unknown { path: lib_rs.to_path_buf(), source })?;
    let name = InputId::of([changed.as_str(), RUNTIME].concat().as_bytes()).as_str()[..16].to_owned();
    // Laid out like cargo's registry, so that whoever reads the debug information (gdb, our own `core::frame`) sees that
    // these frames are libfuzzer-sys's and not the project's.
    let package = lib_rs.ancestors().nth(2).and_then(Path::file_name).unwrap_or("libfuzzer-sys".as_ref());
    let folder = cache.join("registry/src").join(name).join(package).join("src");
    let sources = Sources {
        original: lib_rs.to_path_buf(),
        substitute: folder.join("lib.rs"),
        runtime: folder.join("runtime.rs"),
    };
    for (path, text) in [(&sources.substitute, changed.as_str()), (&sources.runtime, RUNTIME)] {
        if !path.is_file() {
            write_whole(path, text.as_bytes()).map_err(copy_error(path))?;
        }
    }
    Ok(sources)
}

/// A compiler of another process may read the copy at any moment.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut partial = tempfile::NamedTempFile::new_in(folder)?;
    partial.write_all(bytes)?;
    partial.persist(path).map(drop).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_libfuzzer_sys_is_left_alone_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let lib_rs = folder.path().join("lib.rs");
        std::fs::write(&lib_rs, "pub fn other() {}").unwrap();
        let error = prepare(&lib_rs, folder.path()).unwrap_err();
        assert!(matches!(error, RuntimeError::Unknown { .. }), "{error}");
        assert!(error.to_string().contains("lib.rs"), "{error}");
    }
}
