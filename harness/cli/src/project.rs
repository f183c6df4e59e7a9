//! Where the project begins.

use std::path::{Path, PathBuf};

/// The name of the configuration file.
pub(crate) const CONFIG_NAME: &str = "shakedown.toml";

/// The root of the project that `folder` is in: the nearest folder upwards with a `shakedown.toml`, else the nearest with a
/// `.git`, else the farthest with a `Cargo.toml`, else `folder` itself.
pub(crate) fn root_of(folder: &Path) -> PathBuf {
    let nearest = |name: &str| folder.ancestors().find(|ancestor| ancestor.join(name).exists());
    let farthest = |name: &str| folder.ancestors().filter(|ancestor| ancestor.join(name).exists()).last();
    nearest(CONFIG_NAME)
        .or_else(|| nearest(".git"))
        .or_else(|| farthest("Cargo.toml"))
        .unwrap_or(folder)
        .to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_from_any_folder_below() {
        let project = tempfile::tempdir().unwrap();
        let below = project.path().join("crates/one/src");
        std::fs::create_dir_all(&below).unwrap();
        std::fs::write(project.path().join("crates/one/Cargo.toml"), "").unwrap();
        std::fs::create_dir(project.path().join(".git")).unwrap();
        assert_eq!(root_of(&below), project.path());
        std::fs::write(project.path().join("crates/shakedown.toml"), "").unwrap();
        assert_eq!(root_of(&below), project.path().join("crates"));
    }
}
