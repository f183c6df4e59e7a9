//! Walks a tree for `Cargo.toml` files and reads what makes them interesting.

use std::path::{Path, PathBuf};

/// How deep the walk goes. The deepest fuzz crate seen in public repositories lies five folders down.
const DEPTH_MAX: usize = 10;

/// How many folders are looked into before we say that the tree is too large.
const FOLDERS_MAX: usize = 50_000;

/// The largest text file that is read here: manifests and sources are far smaller.
const TEXT_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Folders that hold other people's code or build products.
const SKIPPED_FOLDERS: [&str; 4] = ["target", "node_modules", "vendor", "third_party"];

/// A manifest with a package in it.
pub(super) struct Manifest {
    pub(super) path: PathBuf,
    pub(super) is_fuzz: bool,
    pub(super) has_bench: bool,
}

/// All packages below `root` that are fuzz crates or may have benches, in the order of their paths.
pub(super) fn walk(root: &Path, exclude: &[PathBuf], notices: &mut Vec<String>) -> Vec<Manifest> {
    let excluded: Vec<PathBuf> = exclude.iter().map(|folder| root.join(folder)).collect();
    let mut found = Vec::new();
    let mut waiting = vec![(root.to_path_buf(), 0)];
    let mut n_folders = 0;
    while let Some((folder, depth)) = waiting.pop() {
        n_folders += 1;
        if n_folders > FOLDERS_MAX {
            notices.push(format!(
                "`{}` has more than {FOLDERS_MAX} folders; looked no further (see `[discover] exclude`)",
                root.display()
            ));
            break;
        }
        found.extend(read_manifest(&folder.join("Cargo.toml")));
        if depth < DEPTH_MAX {
            waiting.extend(
                subfolders(&folder).filter(|below| !excluded.contains(below)).map(|below| (below, depth + 1)),
            );
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The folders in `folder` that may hold the project's own code. Links are not followed: they can form loops.
fn subfolders(folder: &Path) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            !name.starts_with('.') && !SKIPPED_FOLDERS.contains(&name.as_ref())
        })
        .map(|entry| entry.path())
        // A folder with its own `.git` is a submodule or another checkout: another project.
        .filter(|path| !path.join(".git").exists() && !path.join("CACHEDIR.TAG").exists())
}

fn read_manifest(path: &Path) -> Option<Manifest> {
    let table: toml::Table = read_text(path)?.parse().ok()?;
    let package = table.get("package")?;
    let is_fuzz = package
        .get("metadata")
        .and_then(|metadata| metadata.get("cargo-fuzz"))
        .is_some_and(|mark| mark.as_bool().unwrap_or(true));
    let has_bench =
        table.contains_key("bench") || path.parent().is_some_and(|folder| folder.join("benches").is_dir());
    (is_fuzz || has_bench).then(|| Manifest { path: path.to_path_buf(), is_fuzz, has_bench })
}

/// Whether a source file speaks of libFuzzer.
pub(super) fn mentions_libfuzzer(source: &Path) -> bool {
    read_text(source).is_some_and(|text| {
        ["libfuzzer_sys", "LLVMFuzzerTestOneInput", "libafl_libfuzzer"].iter().any(|word| text.contains(word))
    })
}

/// A file's text, unless it is missing, huge, or no text.
pub(super) fn read_text(path: &Path) -> Option<String> {
    let size = std::fs::metadata(path).ok()?.len();
    if size > TEXT_BYTES_MAX {
        return None;
    }
    std::fs::read_to_string(path).ok()
}
