//! Words of strangers, made fit to show: a crash log, a compiler's error or a target's name can hold anything.

/// `text` without anything that could move a terminal's cursor, ring its bell or reverse its writing direction.
///
/// Control characters (C0, C1, DEL) and the bidirectional overrides become `\u{..}` escapes; line feeds and tabs stay.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' || c == '\t' || !is_unprintable(c) {
            shown.push(c);
        } else {
            shown.extend(c.escape_unicode());
        }
    }
    shown
}

/// Like [`printable`], on one line and at most `max_chars` characters long, cut with `…`.
pub fn one_line(text: &str, max_chars: usize) -> String {
    let folded = printable(text).split_whitespace().collect::<Vec<_>>().join(" ");
    match folded.char_indices().nth(max_chars) {
        None => folded,
        Some(_) => folded.chars().take(max_chars.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// The longest beginning of `text` that has at most `bytes_max` bytes and ends between two characters.
pub fn cut(text: &str, bytes_max: usize) -> &str {
    if text.len() <= bytes_max {
        return text;
    }
    let end = (0..=bytes_max).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    &text[..end]
}

fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_sequence_is_shown_and_not_obeyed() {
        assert_eq!(printable("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(printable("tab\tline\n"), "tab\tline\n");
        assert_eq!(printable("\u{202e}evil"), "\\u{202e}evil");
    }

    #[test]
    fn a_cut_falls_between_characters() {
        assert_eq!(cut("añb", 2), "a");
        assert_eq!(cut("añb", 3), "añ");
        assert_eq!(cut("ab", 9), "ab");
    }

    #[test]
    fn a_long_message_is_cut_with_an_ellipsis() {
        assert_eq!(one_line("two\n  lines", 80), "two lines");
        assert_eq!(one_line("abcdef", 4), "abc…");
        assert_eq!(one_line("abcd", 4), "abcd");
    }
}
