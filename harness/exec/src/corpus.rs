//! The inputs of one target on disk: a working corpus that libFuzzer reads and writes, and a quarantine.
//!
//! Both lie in our own folder. The project's seeds are copied, never linked: libFuzzer rewrites files in place.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use shakedown_core::input::InputId;
use shakedown_core::target::TargetName;

use crate::discover::Assets;

/// A larger seed is left out. libFuzzer reads no more than 1 MiB of a file unless told to.
const SEED_BYTES_MAX: u64 = 1 << 20;

/// How many files of one seed folder or archive are taken.
const SEEDS_MAX: usize = 500_000;

/// How deep a seed folder is read.
const DEPTH_MAX: usize = 8;

/// The folders of one target.
#[derive(Debug, Clone)]
pub struct Corpus {
    /// Inputs worth keeping. libFuzzer adds files named by SHA-1; seeds come in under their SHA-256.
    pub inputs: PathBuf,
    /// Inputs that crash: as seeds they would end every process before it fuzzes.
    pub quarantine: PathBuf,
}

/// What taking the seeds brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Inputs that were not there before.
    pub n_new: usize,
    /// Files that were left out, for their size or because they cannot be read.
    pub n_left_out: usize,
}

impl Corpus {
    /// The folders of `target` below `state`, made where they are missing.
    pub fn open(state: &Path, target: &TargetName) -> io::Result<Self> {
        let name = target.as_path_component();
        let corpus = Self {
            inputs: state.join("corpus").join(&name),
            quarantine: state.join("quarantine").join(&name),
        };
        std::fs::create_dir_all(&corpus.inputs)?;
        std::fs::create_dir_all(&corpus.quarantine)?;
        Ok(corpus)
    }

    /// Copies the project's seeds in, but for those in quarantine.
    pub fn import(&self, assets: &Assets) -> io::Result<Imported> {
        let mut imported = Imported::default();
        for folder in &assets.seed_folders {
            for file in files_below(folder) {
                match read_bounded(&file, SEED_BYTES_MAX) {
                    Ok(Some(bytes)) => self.add(&bytes, &mut imported)?,
                    Ok(None) | Err(_) => imported.n_left_out += 1,
                }
            }
        }
        for archive in &assets.seed_archives {
            self.import_archive(archive, &mut imported)?;
        }
        Ok(imported)
    }

    fn import_archive(&self, path: &Path, imported: &mut Imported) -> io::Result<()> {
        let Ok(mut archive) = zip::ZipArchive::new(File::open(path)?) else {
            imported.n_left_out += 1;
            return Ok(());
        };
        for index in 0..archive.len().min(SEEDS_MAX) {
            let mut bytes = Vec::new();
            // Sizes in an archive's directory are claims; what is read is bounded all the same.
            let read = archive.by_index(index).map_err(io::Error::other).and_then(|entry| {
                if entry.is_dir() { Ok(0) } else { entry.take(SEED_BYTES_MAX + 1).read_to_end(&mut bytes) }
            });
            match read {
                Ok(0) => {}
                Ok(n) if n as u64 <= SEED_BYTES_MAX => self.add(&bytes, imported)?,
                Ok(_) | Err(_) => imported.n_left_out += 1,
            }
        }
        Ok(())
    }

    fn add(&self, bytes: &[u8], imported: &mut Imported) -> io::Result<()> {
        let name = InputId::of(bytes).to_string();
        let path = self.inputs.join(&name);
        if !path.exists() && !self.quarantine.join(&name).exists() {
            // Whole or not at all: a name that does not fit its bytes would never be noticed. The temporary file lies in
            // the quarantine, because libFuzzer reads whatever is in the other folder.
            let mut temporary = tempfile::NamedTempFile::new_in(&self.quarantine)?;
            temporary.write_all(bytes)?;
            temporary.persist(path).map_err(|error| error.error)?;
            imported.n_new += 1;
        }
        Ok(())
    }

    /// Takes an input that crashes out of the corpus. Says whether it was in it.
    pub fn quarantine(&self, bytes: &[u8]) -> io::Result<bool> {
        let mut was_there = false;
        for file in files_below(&self.inputs) {
            let is_same_size =
                std::fs::metadata(&file).is_ok_and(|metadata| metadata.len() == bytes.len() as u64);
            if is_same_size && std::fs::read(&file).is_ok_and(|content| content == bytes) {
                std::fs::rename(&file, self.quarantine.join(InputId::of(bytes).as_str()))?;
                was_there = true;
            }
        }
        Ok(was_there)
    }

    /// How many inputs there are, and how many bytes.
    pub fn size(&self) -> (u64, u64) {
        files_below(&self.inputs)
            .filter_map(|file| std::fs::metadata(file).ok())
            .fold((0, 0), |(n, bytes), metadata| (n + 1, bytes + metadata.len()))
    }
}

/// The files below `folder`, without following links and without hidden ones.
pub fn files_below(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let mut waiting = vec![(folder.to_path_buf(), 0)];
    let mut files = Vec::new();
    while let Some((folder, depth)) = waiting.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            if kind.is_dir() && depth < DEPTH_MAX && !is_hidden {
                waiting.push((entry.path(), depth + 1));
            } else if kind.is_file() && !is_hidden && files.len() < SEEDS_MAX {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    files.into_iter()
}

/// A file's bytes; `None` where it is larger than `bytes_max`.
pub fn read_bounded(path: &Path, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= bytes_max).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus_with_seeds(seeds: &[&[u8]]) -> (tempfile::TempDir, Corpus, Assets) {
        let folder = tempfile::tempdir().unwrap();
        let nested = folder.path().join("seeds/deep/er");
        std::fs::create_dir_all(&nested).unwrap();
        for (index, seed) in seeds.iter().enumerate() {
            std::fs::write(nested.join(index.to_string()), seed).unwrap();
        }
        let corpus = Corpus::open(&folder.path().join("state"), &TargetName::new("t")).unwrap();
        let assets = Assets { seed_folders: vec![folder.path().join("seeds")], ..Assets::default() };
        (folder, corpus, assets)
    }

    #[test]
    fn seeds_come_in_once_from_any_depth() {
        let (_folder, corpus, assets) = corpus_with_seeds(&[b"one", b"two", b"one"]);
        assert_eq!(corpus.import(&assets).unwrap(), Imported { n_new: 2, n_left_out: 0 });
        assert_eq!(corpus.import(&assets).unwrap(), Imported::default());
        assert_eq!(corpus.size(), (2, 6));
    }

    #[test]
    fn a_quarantined_seed_does_not_come_back() {
        let (_folder, corpus, assets) = corpus_with_seeds(&[b"good", b"boom"]);
        corpus.import(&assets).unwrap();
        assert!(corpus.quarantine(b"boom").unwrap());
        assert!(!corpus.quarantine(b"boom").unwrap());
        assert_eq!(corpus.import(&assets).unwrap(), Imported::default());
        assert_eq!(corpus.size(), (1, 4));
    }

    #[test]
    fn a_huge_seed_is_left_out_and_counted() {
        let huge = vec![0; usize::try_from(SEED_BYTES_MAX).unwrap() + 1];
        let (_folder, corpus, assets) = corpus_with_seeds(&[&huge, b"small"]);
        assert_eq!(corpus.import(&assets).unwrap(), Imported { n_new: 1, n_left_out: 1 });
    }

    #[test]
    fn a_broken_archive_does_not_stop_the_import() {
        let (folder, corpus, mut assets) = corpus_with_seeds(&[b"fine"]);
        let archive = folder.path().join("t_seed_corpus.zip");
        std::fs::write(&archive, b"PK\x03\x04 not really").unwrap();
        assets.seed_archives.push(archive);
        assert_eq!(corpus.import(&assets).unwrap(), Imported { n_new: 1, n_left_out: 1 });
    }
}
