//! What lies beside a fuzz target: seeds, dictionary, options, and inputs that crashed once.
//!
//! The places are conventions of cargo-fuzz, OSS-Fuzz and ourselves, seen in public repositories (docs/discovery.md).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::manifests::read_text;

/// What lies beside a target. All of it is read and never written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assets {
    /// Folders of inputs to start from; they may have folders in them.
    pub seed_folders: Vec<PathBuf>,
    /// Zip archives of inputs to start from.
    pub seed_archives: Vec<PathBuf>,
    /// Folders of inputs that once crashed: replayed before anything else.
    pub regression_folders: Vec<PathBuf>,
    /// A dictionary of tokens in libFuzzer's format.
    pub dictionary: Option<PathBuf>,
    /// libFuzzer flags of the target's `.options` file, as `name=value`.
    pub options: Vec<(String, String)>,
}

/// Looks around the target `bin` with the given `source` of the fuzz crate in `folder`, in the project at `root`.
pub(super) fn find(folder: &Path, root: &Path, bin: &str, source: &Path) -> Assets {
    let beside = source.parent().unwrap_or(folder);
    let names = spellings(bin);
    let places = |parents: &[PathBuf]| -> Vec<PathBuf> {
        let all: BTreeSet<PathBuf> =
            parents.iter().flat_map(|parent| names.iter().map(move |name| parent.join(name))).collect();
        all.into_iter().filter(|place| place.is_dir()).collect()
    };
    let mut seed_folders = places(&[
        folder.join("corpus"),
        folder.join("seeds"),
        folder.join("corpora"),
        folder.join("seed_corpus"),
    ]);
    seed_folders.extend(
        names.iter().map(|name| root.join("corpora").join(name).join("seeds")).filter(|d| d.is_dir()),
    );
    seed_folders.extend(own_folder(folder, &format!("{bin}_seed_corpus")));
    let mut regression_folders = places(&[folder.join("artifacts"), folder.join("regressions")]);
    regression_folders.extend(
        names.iter().map(|name| root.join("corpora").join(name).join("regressions")).filter(|d| d.is_dir()),
    );
    let file_places =
        [beside.to_path_buf(), folder.to_path_buf(), folder.join("seeds"), folder.join("corpus")];
    let dictionary_places = [
        beside.to_path_buf(),
        folder.to_path_buf(),
        folder.join("dict"),
        folder.join("dicts"),
        folder.join("dictionaries"),
    ];
    Assets {
        seed_folders,
        seed_archives: files(&file_places, &names, "_seed_corpus.zip"),
        regression_folders,
        dictionary: files(&dictionary_places, &names, ".dict").into_iter().next(),
        options: files(&file_places, &names, ".options")
            .first()
            .and_then(|file| read_text(file))
            .map(|text| parse_options(&text))
            .unwrap_or_default(),
    }
}

/// A target `a-b` keeps its corpus in `a-b` or, by a common slip, in `a_b`.
fn spellings(bin: &str) -> Vec<String> {
    let mut names = vec![bin.to_owned()];
    for other in [bin.replace('-', "_"), bin.replace('_', "-")] {
        if !names.contains(&other) {
            names.push(other);
        }
    }
    names
}

fn own_folder(folder: &Path, name: &str) -> Option<PathBuf> {
    Some(folder.join(name)).filter(|place| place.is_dir())
}

fn files(places: &[PathBuf], names: &[String], suffix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for file in
        places.iter().flat_map(|place| names.iter().map(move |name| place.join(format!("{name}{suffix}"))))
    {
        if file.is_file() && !found.contains(&file) {
            found.push(file);
        }
    }
    found
}

/// The `[libfuzzer]` section of an OSS-Fuzz `.options` file.
fn parse_options(text: &str) -> Vec<(String, String)> {
    let mut is_ours = false;
    let mut options = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            is_ours = section.trim_end_matches(']') == "libfuzzer";
        } else if let (true, Some((name, value))) = (is_ours, line.split_once('=')) {
            options.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_libfuzzers_own_section_is_read() {
        let text = "[asan]\ndetect_leaks=0\n[libfuzzer]\nmax_len = 512\ntimeout=5\n# note\n[other]\nx=1\n";
        let expected = [("max_len", "512"), ("timeout", "5")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(parse_options(text), expected);
    }

    #[test]
    fn a_corpus_is_found_under_either_spelling() {
        assert_eq!(spellings("a-b_c"), ["a-b_c", "a_b_c", "a-b-c"]);
        assert_eq!(spellings("plain"), ["plain"]);
    }
}
