//! The repository's own files, for the tidy test: manifests, sources with and without their tests, documents.

use std::fs;
use std::path::{Path, PathBuf};

use crate::repository;

/// Folders in which nothing of ours lies: build products, state, other people's code, layouts with flaws on purpose.
const SKIPPED: [&str; 6] = ["target", ".git", ".shakedown", "node_modules", "tests/layouts", "corpora"];

/// A text file of the repository.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path from the repository's root, with forward slashes.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl Source {
    /// Whether it lies in `folder`.
    pub fn is_in(&self, folder: &str) -> bool {
        self.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Its lines down to the unit tests, which stand last.
    fn lines_without_tests(&self) -> impl Iterator<Item = &str> {
        let lines: Vec<&str> = self.text.lines().collect();
        let tests =
            lines.windows(2).position(|two| two[0] == "#[cfg(test)]" && two[1].starts_with("mod tests"));
        let n_lines = tests.unwrap_or(lines.len());
        lines.into_iter().take(n_lines)
    }

    /// How many lines it has without its unit tests.
    pub fn n_lines_without_tests(&self) -> usize {
        self.lines_without_tests().count()
    }

    /// Its code: numbered lines without comments and unit tests.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let code = self.lines_without_tests().enumerate().map(|(index, line)| (index + 1, line));
        code.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// Where one of `words` stands in the code, as `path:line: word`.
    pub fn uses_of(&self, words: &[&str]) -> Vec<String> {
        let uses = |(number, line): (usize, &str)| {
            let word = words.iter().find(|word| line.contains(*word))?;
            Some(format!("{}:{number}: {word}", self.path))
        };
        self.code().filter_map(uses).collect()
    }
}

/// All text files whose name ends in `suffix`, sorted by path.
pub fn files(suffix: &str) -> Vec<Source> {
    let root = repository();
    let mut found = Vec::new();
    let mut waiting = vec![root.clone()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let shown = shown(&path, &root);
            if entry.file_type().unwrap().is_dir() {
                if !is_skipped(&shown) {
                    waiting.push(path);
                }
            } else if shown.ends_with(suffix)
                && let Ok(text) = fs::read_to_string(&path)
            {
                found.push(Source { path: shown, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn is_skipped(shown: &str) -> bool {
    SKIPPED.iter().any(|skipped| {
        shown == *skipped || (!skipped.contains('/') && shown.ends_with(&format!("/{skipped}")))
    })
}

fn shown(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap().display().to_string()
}

/// The names of the dependencies in one table of a manifest, such as `dependencies`.
pub fn dependencies(manifest: &str, table: &str) -> Vec<String> {
    let text = fs::read_to_string(repository().join(manifest)).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let table = manifest.get(table).and_then(toml::Value::as_table);
    table.map(|table| table.keys().cloned().collect()).unwrap_or_default()
}

/// The folders in `folder`.
pub fn folders_in(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(repository().join(folder)).unwrap().map(Result::unwrap);
    let mut names: Vec<String> = entries
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A path from the repository's root.
pub fn path(name: &str) -> PathBuf {
    repository().join(name)
}
