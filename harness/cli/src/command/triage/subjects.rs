//! Which files are triaged, and what they are: logs, or inputs of a target.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use shakedown_exec::corpus::files_below;
use shakedown_exec::engine::libfuzzer::ArtifactKind;

use crate::args::TriageArgs;
use crate::error::CliError;

/// Files that fuzzers leave beside inputs and that are none.
const NO_INPUTS: [&str; 4] = ["README.txt", "HONGGFUZZ.REPORT.TXT", "fuzz.log", "index.jsonl"];

/// Which program inputs belong to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum InputsOf {
    /// A target of the project.
    Target(String),
    /// A ready-made program.
    Binary(PathBuf),
}

/// The files, by what they are.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    pub(super) logs: Vec<PathBuf>,
    pub(super) inputs: BTreeMap<InputsOf, Vec<PathBuf>>,
}

impl Subjects {
    /// Looks through the arguments' paths.
    pub(super) fn find(args: &TriageArgs) -> Result<Self, CliError> {
        let said = match (&args.target, &args.binary) {
            (Some(target), _) => Some(InputsOf::Target(target.clone())),
            (None, Some(binary)) => Some(InputsOf::Binary(binary.clone())),
            (None, None) => None,
        };
        let mut subjects = Self::default();
        for path in &args.paths {
            let metadata =
                std::fs::metadata(path).map_err(|source| CliError::Read { path: path.clone(), source })?;
            let files: Vec<PathBuf> =
                if metadata.is_dir() { files_below(path).collect() } else { vec![path.clone()] };
            for file in files {
                subjects.add(file, said.as_ref());
            }
        }
        Ok(subjects)
    }

    fn add(&mut self, file: PathBuf, said: Option<&InputsOf>) {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        match said.cloned().or_else(|| recognised(&file, &name)) {
            Some(_) if NO_INPUTS.contains(&name.as_str()) => {}
            Some(of) => self.inputs.entry(of).or_default().push(file),
            None => self.logs.push(file),
        }
    }

    pub(super) fn n_files(&self) -> usize {
        self.logs.len() + self.inputs.values().map(Vec::len).sum::<usize>()
    }
}

/// `artifacts/TARGET/crash-…`, as cargo-fuzz leaves it.
fn recognised(file: &Path, name: &str) -> Option<InputsOf> {
    ArtifactKind::of(name)?;
    let folder = file.parent()?;
    let is_artifacts = folder.parent()?.file_name().is_some_and(|name| name == "artifacts");
    is_artifacts
        .then(|| InputsOf::Target(folder.file_name().unwrap_or_default().to_string_lossy().into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_fuzz_left_belongs_to_the_folders_target() {
        let of = |path: &str| {
            let path = Path::new(path);
            recognised(path, &path.file_name().unwrap().to_string_lossy())
        };
        assert_eq!(of("fuzz/artifacts/parse/crash-da39"), Some(InputsOf::Target("parse".to_owned())));
        assert_eq!(of("logs/crash-da39"), None);
        assert_eq!(of("fuzz/artifacts/parse/readme"), None);
    }
}
