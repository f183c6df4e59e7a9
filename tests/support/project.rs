//! A project in a temporary folder, made of a few files or copied from `tests/layouts`.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use shakedown_core::input::InputId;
use tempfile::TempDir;

use crate::harness::Harness;
use crate::{fake, repository};

/// A project of its own; the folder goes when it is dropped.
#[derive(Debug)]
pub struct Project {
    folder: TempDir,
    root: PathBuf,
    config: String,
}

impl Project {
    /// An empty project with an empty `shakedown.toml`, which makes it a project.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("shakedown-test-").tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("project");
        fs::create_dir(&root).unwrap();
        Self { folder, root, config: String::new() }.file("shakedown.toml", "")
    }

    /// A copy of one of `tests/layouts`, without a `shakedown.toml`.
    pub fn of_layout(name: &str) -> Self {
        Self::copy_of(&repository().join("tests/layouts").join(name))
    }

    /// A copy of a folder, without what was built in it.
    pub fn copy_of(folder: &Path) -> Self {
        let project = Self::new();
        fs::remove_file(project.path("shakedown.toml")).unwrap();
        copy(folder, &project.root);
        // A folder with a `.git` is a project's root, and keeps searches upwards from leaving it.
        fs::create_dir(project.path(".git")).unwrap();
        project
    }

    /// Adds a file.
    #[must_use]
    pub fn file(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        self.write(name, text);
        self
    }

    /// Adds lines to `shakedown.toml`.
    #[must_use]
    pub fn config(mut self, lines: &str) -> Self {
        self.config.push_str(lines);
        self.config.push('\n');
        let text = self.config.clone();
        self.file("shakedown.toml", text)
    }

    /// Adds a target that one of `fakes/` plays, started as somebody's ready-made binary.
    #[must_use]
    pub fn target(self, name: &str, played_by: &str) -> Self {
        let binary = fake(played_by);
        self.config(&format!("[target.{name}]\nbinary = {:?}", binary.display().to_string()))
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The project's root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A path in the project.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A folder beside the project, which goes with it.
    pub fn beside(&self, name: &str) -> PathBuf {
        let path = self.folder.path().canonicalize().unwrap().join(name);
        fs::create_dir_all(&path).unwrap();
        path
    }

    /// A command of shakedown's in this project.
    pub fn shakedown<W: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = W>) -> Harness {
        Harness::new(self, words)
    }

    /// Every file of the project but what is below `.shakedown`, by its path, with a hash of its bytes.
    pub fn files(&self) -> BTreeMap<PathBuf, String> {
        let mut files = BTreeMap::new();
        let mut waiting = vec![self.root.clone()];
        while let Some(folder) = waiting.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let path = entry.path();
                if path == self.path(".shakedown") {
                    continue;
                }
                if entry.file_type().unwrap().is_dir() {
                    waiting.push(path);
                } else {
                    let hash = InputId::of(&fs::read(&path).unwrap()).as_str().to_owned();
                    files.insert(path.strip_prefix(&self.root).unwrap().to_path_buf(), hash);
                }
            }
        }
        files
    }

    /// Fails with the names of the files that differ from `before`.
    pub fn assert_unchanged_since(&self, before: &BTreeMap<PathBuf, String>) {
        let after = self.files();
        let mut differences = String::new();
        for (path, hash) in before {
            match after.get(path) {
                Some(same) if same == hash => {}
                Some(_) => writeln!(differences, "changed: {}", path.display()).unwrap(),
                None => writeln!(differences, "gone: {}", path.display()).unwrap(),
            }
        }
        for path in after.keys().filter(|path| !before.contains_key(*path)) {
            writeln!(differences, "new: {}", path.display()).unwrap();
        }
        assert!(differences.is_empty(), "files of the project were touched:\n{differences}");
    }
}

impl Default for Project {
    fn default() -> Self {
        Self::new()
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let name = entry.file_name();
        // What a developer has built or found there is no part of the layout.
        if name == "target" || name == ".shakedown" {
            continue;
        }
        let target = to.join(&name);
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
