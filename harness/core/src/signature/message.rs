//! One spelling for a panic's words: what differs from input to input goes, what differs from compiler to compiler is mapped.

/// Words of the standard library, in every wording since 1.0, and the token that stands for them. First match wins.
const STD_WORDS: [(&str, &str); 36] = [
    ("index out of bounds", "index-out-of-bounds"),
    ("range start index", "slice-range"),
    ("range end index", "slice-range"),
    ("slice index starts at", "slice-range"),
    ("index out of range for slice", "slice-range"),
    ("assertion failed: index.start <= index.end", "slice-range"),
    ("attempted to index slice", "slice-range"),
    ("byte index", "char-boundary"),
    ("start byte index", "char-boundary"),
    ("end byte index", "char-boundary"),
    ("begin <= end", "char-boundary"),
    ("called `Option::unwrap()` on a `None` value", "unwrap-none"),
    ("called `Result::unwrap()` on an `Err` value", "unwrap-err"),
    ("called `Result::unwrap_err()` on an `Ok` value", "unwrap-ok"),
    ("called `Result::expect_err()`", "unwrap-ok"),
    ("attempt to add with overflow", "overflow-add"),
    ("attempt to subtract with overflow", "overflow-subtract"),
    ("attempt to multiply with overflow", "overflow-multiply"),
    ("attempt to negate with overflow", "overflow-negate"),
    ("attempt to shift left with overflow", "overflow-shift"),
    ("attempt to shift right with overflow", "overflow-shift"),
    ("attempt to divide with overflow", "overflow-divide"),
    ("attempt to calculate the remainder with overflow", "overflow-divide"),
    ("arithmetic operation overflowed", "overflow"),
    ("attempt to divide by zero", "divide-by-zero"),
    ("attempt to calculate the remainder with a divisor of zero", "divide-by-zero"),
    ("attempted to divide by zero", "divide-by-zero"),
    ("already mutably borrowed", "refcell-borrow"),
    ("RefCell already mutably borrowed", "refcell-borrow"),
    ("already borrowed", "refcell-borrow-mut"),
    ("RefCell already borrowed", "refcell-borrow-mut"),
    ("not yet implemented", "todo"),
    ("not implemented", "unimplemented"),
    ("internal error: entered unreachable code", "unreachable"),
    ("entered unreachable code", "unreachable"),
    ("explicit panic", "explicit-panic"),
];

/// Words by which Rust's own checks report what would have been memory corruption in a release build.
const MEMORY_WORDS: [&str; 6] = [
    "unsafe precondition(s) violated",
    "null pointer dereference occurred",
    "misaligned pointer dereference",
    "trying to construct an enum from an invalid value",
    "attempted to leave type",
    "attempted to zero-initialize type",
];

/// Words by which an allocation was refused.
const ALLOCATION_WORDS: [&str; 5] = [
    "capacity overflow",
    "Hash table capacity overflow",
    "memory allocation of",
    "out of memory",
    "allocation failed",
];

/// Longest token that is kept: the beginning of a message says which it is, its end only repeats the input.
const TOKEN_CHARS_MAX: usize = 160;

/// What a message says about the class of its defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageClass {
    /// Nothing beyond the kind.
    Plain,
    /// It reports memory misuse.
    Memory,
    /// It reports a refused allocation.
    Allocation,
    /// It reports that an invariant is broken which no input should be able to break.
    Invariant,
}

/// The class that `message` implies.
pub fn class_of(message: &str) -> MessageClass {
    let first = first_line(message);
    if MEMORY_WORDS.iter().any(|words| first.starts_with(words)) {
        MessageClass::Memory
    } else if ALLOCATION_WORDS.iter().any(|words| first.starts_with(words)) {
        MessageClass::Allocation
    } else if first.contains("entered unreachable code") || first.starts_with("assertion") {
        MessageClass::Invariant
    } else {
        MessageClass::Plain
    }
}

/// The token that stands for a panic's or assertion's message.
pub fn token(message: &str) -> String {
    let first = first_line(message);
    if let Some(rest) = assertion_of_values(first, message) {
        return rest;
    }
    match STD_WORDS.iter().find(|(words, _)| first.starts_with(words)) {
        Some((words, token)) => with_users_words(token, &first[words.len()..]),
        None => erased(without_debug_value(first)),
    }
}

/// `unreachable!("why")` and `unimplemented!("why")` carry words of the author, which tell one site from another.
fn with_users_words(token: &str, rest: &str) -> String {
    let takes_words = matches!(token, "unreachable" | "unimplemented" | "todo");
    match rest.strip_prefix(": ").filter(|_| takes_words) {
        Some(words) => format!("{token} {}", erased(words)),
        None => token.to_owned(),
    }
}

/// `assert_eq!` since 1.73 (``assertion `left == right` failed: why``) and before (``assertion failed: `(left == right)` ``).
fn assertion_of_values(first: &str, message: &str) -> Option<String> {
    let operators = ["==", "!=", "matches"];
    for operator in operators {
        let new = format!("assertion `left {operator} right` failed");
        if let Some(rest) = first.strip_prefix(&new) {
            return Some(
                format!("assert left {operator} right {}", erased(rest.trim_start_matches(':')))
                    .trim_end()
                    .to_owned(),
            );
        }
        let old = format!("assertion failed: `(left {operator} right)`");
        if first.strip_prefix(&old).is_some() {
            // The old form puts the author's words after the right value: `` right: `2`: why``.
            let why =
                message.lines().last().and_then(|line| line.rsplit_once("`: ")).map_or("", |(_, why)| why);
            return Some(format!("assert left {operator} right {}", erased(why)).trim_end().to_owned());
        }
    }
    None
}

/// The first line with words on it, cut where no token reaches.
fn first_line(message: &str) -> &str {
    let line = message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("");
    line.char_indices().nth(1024).map_or(line, |(end, _)| &line[..end])
}

/// `what: Error { kind: X }` → `what`: the value that `expect` and friends print is the input's, not the site's.
fn without_debug_value(text: &str) -> &str {
    let value_at =
        text.match_indices(": ").map(|(at, _)| at).find(|at| *at > 0 && looks_like_debug(&text[at + 2..]));
    value_at.map_or(text, |at| &text[..at])
}

fn looks_like_debug(value: &str) -> bool {
    let head_end = value.find([' ', '(', '{', '"']).unwrap_or(value.len());
    let head = &value[..head_end];
    let is_type_name = head.starts_with(|c: char| c.is_ascii_uppercase())
        && head.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let rest = value[head_end..].trim_start();
    value.starts_with('"') || (is_type_name && (rest.is_empty() || rest.starts_with(['(', '{'])))
}

/// Numbers become `#`, quoted texts `'…'`, spaces one space; cut at [`TOKEN_CHARS_MAX`].
fn erased(text: &str) -> String {
    let mut token = String::new();
    let mut chars = text.trim().chars().peekable();
    let (mut before, mut previous) = (' ', ' ');
    while let Some(c) = chars.next() {
        if token.len() >= TOKEN_CHARS_MAX {
            break;
        }
        // `utf-8` and `u16` are words, `-8` and `16` are values.
        let is_inside_word = is_word(previous) || (previous == '-' && is_word(before));
        if c.is_ascii_digit() && !is_inside_word {
            while chars.next_if(|next| next.is_ascii_alphanumeric() || matches!(next, '.' | '_')).is_some() {}
            token.push('#');
            (before, previous) = ('0', '0');
            continue;
        }
        if c == '"' || (c == '\'' && !is_word(previous)) {
            for next in chars.by_ref() {
                if next == c {
                    break;
                }
            }
            token.push_str("'…'");
        } else if c.is_whitespace() {
            if !token.ends_with(' ') {
                token.push(' ');
            }
        } else if !c.is_control() {
            token.push(c);
        }
        (before, previous) = (previous, c);
    }
    token.trim_end().to_owned()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str, expect: &str) {
        assert_eq!(token(message), expect, "{message}");
    }

    #[test]
    fn values_of_the_input_do_not_matter() {
        check("index out of bounds: the len is 3 but the index is 5", "index-out-of-bounds");
        check(
            "called `Result::unwrap()` on an `Err` value: ParseIntError { kind: InvalidDigit }",
            "unwrap-err",
        );
        check("valid utf-8: Utf8Error { valid_up_to: 3, error_len: Some(1) }", "valid utf-8");
        check("no node 17 at 0x7f00 in \"some text\"", "no node # at # in '…'");
        check("can't read: it's broken", "can't read: it's broken");
        check("utf8 and u16 stay", "utf8 and u16 stay");
    }

    #[test]
    fn old_and_new_wordings_of_std_are_one() {
        check("slice index starts at 5 but ends at 3", "slice-range");
        check("range end index 5 out of range for slice of length 3", "slice-range");
        check("already borrowed: BorrowMutError", "refcell-borrow-mut");
        check("RefCell already borrowed", "refcell-borrow-mut");
        check(
            "assertion failed: `(left == right)`\n  left: `1`,\n right: `2`: lengths differ",
            "assert left == right lengths differ",
        );
        check(
            "assertion `left == right` failed: lengths differ\n  left: 1\n right: 2",
            "assert left == right lengths differ",
        );
        check("assertion `left == right` failed\n  left: 1\n right: 2", "assert left == right");
    }

    #[test]
    fn the_authors_words_tell_sites_apart() {
        check("internal error: entered unreachable code: bad state 7", "unreachable bad state #");
        check("not implemented: utf-16", "unimplemented utf-16");
    }

    #[test]
    fn memory_misuse_found_by_a_check_is_memory_misuse() {
        assert_eq!(class_of("unsafe precondition(s) violated: slice::get_unchecked"), MessageClass::Memory);
        assert_eq!(class_of("capacity overflow"), MessageClass::Allocation);
        assert_eq!(class_of("assertion failed: x"), MessageClass::Invariant);
        assert_eq!(class_of("index out of bounds: the len is 3"), MessageClass::Plain);
    }
}
