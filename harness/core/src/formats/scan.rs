//! Small scanners over text: numbers, delimiters, places. No backtracking, no allocation.

use crate::crash::Location;

/// The decimal number that `text` starts with, and what follows.
pub(super) fn decimal(text: &str) -> Option<(u64, &str)> {
    let end = text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// The number after `0x` that `text` starts with, and what follows. Windows prints `0x00007ff7'12345678` too.
pub(super) fn hex(text: &str) -> Option<(u64, &str)> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    bare_hex(digits)
}

/// Hex digits without `0x`.
pub(super) fn bare_hex(digits: &str) -> Option<(u64, &str)> {
    let end = digits.bytes().position(|b| !b.is_ascii_hexdigit()).unwrap_or(digits.len());
    Some((u64::from_str_radix(&digits[..end], 16).ok()?, &digits[end..]))
}

/// The first number after `0x` anywhere in `text`.
pub(super) fn first_hex(text: &str) -> Option<u64> {
    text.find("0x").and_then(|at| hex(&text[at..])).map(|(number, _)| number)
}

/// `module+0x1f` → both sides, if the text ends in an offset.
pub(super) fn split_offset(text: &str) -> Option<(&str, u64)> {
    let at = memchr::memrchr(b'+', text.as_bytes())?;
    let (offset, rest) = hex(&text[at + 1..])?;
    rest.is_empty().then_some((&text[..at], offset))
}

/// Like `str::find`, but fast to start, which is what counts on short lines.
pub(super) fn find(text: &str, needle: &str) -> Option<usize> {
    memchr::memmem::find(text.as_bytes(), needle.as_bytes())
}

/// `file:line:column`, `file:line` or, if `needs_line` is off, a bare `file`.
pub(super) fn location(text: &str) -> Location {
    let (rest, last) = numeric_suffix(text);
    let (file, before) = numeric_suffix(rest);
    let (line, column) = match (before, last) {
        (Some(line), column) => (Some(line), column),
        (None, line) => (line, None),
    };
    let file = if before.is_some() { file } else { rest };
    Location {
        file: file.to_owned(),
        line: line.filter(|line| *line > 0),
        column: column.filter(|column| *column > 0),
    }
}

/// Whether `text` ends in `:digits`.
pub(super) fn ends_with_line(text: &str) -> bool {
    numeric_suffix(text).1.is_some()
}

fn numeric_suffix(text: &str) -> (&str, Option<u32>) {
    match text.rsplit_once(':') {
        Some((head, digits)) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
            match digits.parse() {
                Ok(number) => (head, Some(number)),
                Err(_) => (text, None),
            }
        }
        _ => (text, None),
    }
}

/// Cuts `text` to at most `max` bytes at a character's edge.
pub(super) fn clipped(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let end = (0..=max).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_may_lack_column_or_line() {
        let check = |text: &str, file: &str, line, column| {
            assert_eq!(location(text), Location { file: file.to_owned(), line, column }, "{text}");
        };
        check("src/lib.rs:9:93", "src/lib.rs", Some(9), Some(93));
        check("a.c:0:3", "a.c", None, Some(3));
        check("C:\\b\\a.cc:12", "C:\\b\\a.cc", Some(12), None);
        check("lib.so", "lib.so", None, None);
        check("x:99999999999999", "x:99999999999999", None, None);
    }
}
