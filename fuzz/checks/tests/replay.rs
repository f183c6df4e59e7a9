//! Every committed input of every fuzz target, in plain `cargo test`.

use std::path::{Path, PathBuf};

use shakedown_fuzz_checks::CHECKS;

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpora")
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[test]
fn every_input_in_corpora_still_holds() {
    let mut n_inputs = 0;
    for (name, check) in CHECKS {
        for path in files_below(&corpora().join(name)) {
            check(&std::fs::read(&path).unwrap());
            n_inputs += 1;
        }
    }
    assert!(n_inputs >= CHECKS.len(), "only {n_inputs} inputs: is the tree complete?");
}

#[test]
fn every_target_has_seeds_and_every_folder_of_ours_a_target() {
    for (name, _) in CHECKS {
        assert!(
            !files_below(&corpora().join(name).join("seeds")).is_empty(),
            "`corpora/{name}/seeds` is empty"
        );
    }
}

#[test]
fn the_empty_input_and_one_byte_are_fine_everywhere() {
    for (_, check) in CHECKS {
        check(b"");
        (0..=u8::MAX).for_each(|byte| check(&[byte]));
    }
}
