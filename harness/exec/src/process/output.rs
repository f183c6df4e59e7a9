//! What a program printed, in bounded memory: the beginning and the end are kept, the middle is counted.

use std::collections::VecDeque;

/// The kept part of one output stream.
#[derive(Debug, Clone, Default)]
pub struct Output {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    n_bytes: u64,
    head_bytes_max: usize,
    tail_bytes_max: usize,
}

impl Output {
    /// An empty stream that will keep at most the given number of bytes of its beginning and of its end.
    pub fn bounded(head_bytes_max: usize, tail_bytes_max: usize) -> Self {
        Self { head_bytes_max, tail_bytes_max, ..Self::default() }
    }

    /// Takes the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.n_bytes += bytes.len() as u64;
        let (first, rest) = bytes.split_at(bytes.len().min(self.head_bytes_max - self.head.len()));
        self.head.extend_from_slice(first);
        let rest = &rest[rest.len().saturating_sub(self.tail_bytes_max)..];
        let n_too_many = (self.tail.len() + rest.len()).saturating_sub(self.tail_bytes_max);
        self.tail.drain(..n_too_many);
        self.tail.extend(rest);
    }

    /// How many bytes the stream had in all.
    pub fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// The kept bytes, with a line between beginning and end that says how much was left out.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.head.clone();
        let n_left_out = self.n_bytes - (self.head.len() + self.tail.len()) as u64;
        if n_left_out > 0 {
            bytes.extend_from_slice(format!("\n[... {n_left_out} bytes left out ...]\n").as_bytes());
        }
        bytes.extend(&self.tail);
        bytes
    }

    /// The kept text; bytes that are not UTF-8 become U+FFFD.
    pub fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.to_bytes()).into_owned()
    }

    /// The last `n` lines of the kept text.
    pub fn last_lines(&self, n: usize) -> String {
        let text = self.to_text();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(n)..].join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(pieces: &[&str], head_bytes_max: usize, tail_bytes_max: usize) -> String {
        let mut output = Output::bounded(head_bytes_max, tail_bytes_max);
        pieces.iter().for_each(|piece| output.push(piece.as_bytes()));
        output.to_text()
    }

    #[test]
    fn short_output_is_kept_whole() {
        assert_eq!(kept(&["ab", "cd", "ef"], 3, 3), "abcdef");
    }

    #[test]
    fn a_flood_keeps_its_beginning_and_its_end() {
        assert_eq!(kept(&["abc", "defgh", "ijk"], 2, 3), "ab\n[... 6 bytes left out ...]\nijk");
        assert_eq!(kept(&["abcdefghijk"], 2, 3), "ab\n[... 6 bytes left out ...]\nijk");
    }

    #[test]
    fn the_last_lines_of_a_failure_are_at_hand() {
        let mut output = Output::bounded(100, 100);
        output.push(b"one\ntwo\nthree\n");
        assert_eq!(output.last_lines(2), "two\nthree");
    }
}
