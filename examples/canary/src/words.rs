//! How often each word occurs in a text. Sound; with the feature `slow`, slower.

use std::collections::BTreeMap;

/// Counts the words of a text, without regard to ASCII case.
///
/// With the feature `slow` every word is folded letter by letter into a string that is never big enough:
/// same counts, more time.
pub fn count(text: &[u8]) -> BTreeMap<Vec<u8>, usize> {
    let mut counts = BTreeMap::new();
    for word in text.split(|byte| !byte.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        *counts.entry(fold_case(word)).or_default() += 1;
    }
    counts
}

#[cfg(not(feature = "slow"))]
fn fold_case(word: &[u8]) -> Vec<u8> {
    word.to_ascii_lowercase()
}

#[cfg(feature = "slow")]
fn fold_case(word: &[u8]) -> Vec<u8> {
    word.iter().fold(Vec::new(), |folded, byte| [folded, vec![byte.to_ascii_lowercase()]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_matter() {
        let counts = count(b"Ahoy, ahoy!");
        assert_eq!(counts, BTreeMap::from([(b"ahoy".to_vec(), 2)]));
    }
}
