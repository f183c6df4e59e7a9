//! Flag hoists: `a=all hands;b=$a on deck;$b` defines signals and expands the statements without a `=`.

/// The meaning of each signal, by its letter.
type Signals<'t> = [Option<&'t [u8]>; 26];

/// Expands every statement that is not a definition, one after the other.
pub fn expand_all(text: &[u8]) -> Vec<u8> {
    let mut signals: Signals<'_> = [None; 26];
    let mut expanded = Vec::new();
    for statement in text.split(|byte| *byte == b';') {
        match statement {
            [letter @ b'a'..=b'z', b'=', meaning @ ..] => signals[usize::from(letter - b'a')] = Some(meaning),
            _ => expanded.extend(expand(statement, &signals)),
        }
    }
    expanded
}

fn expand(text: &[u8], signals: &Signals<'_>) -> Vec<u8> {
    let mut expanded = Vec::with_capacity(expanded_len(text, signals));
    let mut rest = text;
    while let Some((part, next)) = next_part(rest, signals) {
        match part {
            Part::Meaning(meaning) => expanded.extend(expand(meaning, signals)),
            Part::Letter(letter) => expanded.push(letter),
        }
        rest = next;
    }
    expanded
}

#[inline(never)]
fn expanded_len(text: &[u8], signals: &Signals<'_>) -> usize {
    let mut len = 0;
    let mut rest = text;
    while let Some((part, next)) = next_part(rest, signals) {
        len += match part {
            // DEFECT endless-expansion: a signal that stands in its own meaning is expanded for ever.
            Part::Meaning(meaning) => expanded_len(meaning, signals),
            Part::Letter(_) => 1,
        };
        rest = next;
    }
    len
}

enum Part<'t> {
    Meaning(&'t [u8]),
    Letter(u8),
}

/// The first part of a text, if there is one, and what follows it. An unknown signal means nothing.
fn next_part<'t>(text: &'t [u8], signals: &Signals<'t>) -> Option<(Part<'t>, &'t [u8])> {
    match text {
        [] => None,
        [b'$', letter @ b'a'..=b'z', next @ ..] => {
            let meaning = signals[usize::from(letter - b'a')].unwrap_or_default();
            Some((Part::Meaning(meaning), next))
        }
        [letter, next @ ..] => Some((Part::Letter(*letter), next)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_may_use_other_signals() {
        assert_eq!(expand_all(b"a=all hands;b=$a on deck;$b!"), b"all hands on deck!");
    }

    #[test]
    fn an_unknown_signal_means_nothing() {
        assert_eq!(expand_all(b"$q."), b".");
    }
}
