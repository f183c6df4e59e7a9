//! The one redactor: what differs from run to run becomes a word, and nothing else is touched.

use std::path::{Path, PathBuf};

/// What differs from run to run and from machine to machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Volatile {
    /// `[   12.3s] ` before a line of progress.
    Elapsed,
    /// A finding's name: twelve hexadecimal digits.
    Finding,
    /// A run's name: `20260101-120000-0123abcd`.
    Run,
    /// A rustup toolchain with its host.
    Toolchain,
}

impl Volatile {
    const ALL: [Self; 4] = [Self::Elapsed, Self::Finding, Self::Run, Self::Toolchain];

    fn word(self) -> &'static str {
        match self {
            Self::Elapsed => "[ELAPSED]",
            Self::Finding => "[FINDING]",
            Self::Run => "[RUN]",
            Self::Toolchain => "[TOOLCHAIN]",
        }
    }

    fn fits(self, word: &str) -> bool {
        let is_hexadecimal =
            |word: &str| word.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        match self {
            // Handled by line, since there are spaces in it.
            Self::Elapsed => false,
            Self::Finding => word.len() == 12 && is_hexadecimal(word),
            Self::Run => {
                let parts: Vec<&str> = word.split('-').collect();
                parts.len() == 3 && [8, 6, 8] == [parts[0].len(), parts[1].len(), parts[2].len()]
            }
            Self::Toolchain => word.ends_with("-unknown-linux-gnu") || word.ends_with("-apple-darwin"),
        }
    }
}

/// Replaces paths and volatile words.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    paths: Vec<(PathBuf, &'static str)>,
}

impl Redactor {
    /// A redactor that knows no path.
    pub fn new() -> Self {
        Self::default()
    }

    /// Shows `path` as `word`.
    #[must_use]
    pub fn path(mut self, path: &Path, word: &'static str) -> Self {
        self.paths.push((path.to_path_buf(), word));
        self
    }

    /// The text without what differs from run to run.
    pub fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (path, word) in &self.paths {
            text = text.replace(&path.display().to_string(), word);
        }
        text.split_inclusive('\n').map(redact_line).collect()
    }
}

fn redact_line(line: &str) -> String {
    let (prefix, rest) = match line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((time, rest)) if time.trim_start().starts_with(|c: char| c.is_ascii_digit()) => {
            (format!("{} ", Volatile::Elapsed.word()), rest)
        }
        _ => (String::new(), line),
    };
    let is_inside = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
    let mut redacted = prefix;
    let mut word = String::new();
    for c in rest.chars() {
        if is_inside(c) {
            word.push(c);
        } else {
            redacted.push_str(shown(&word));
            word.clear();
            redacted.push(c);
        }
    }
    redacted.push_str(shown(&word));
    redacted
}

fn shown(word: &str) -> &str {
    let volatile = Volatile::ALL.into_iter().find(|volatile| volatile.fits(word));
    volatile.map_or(word, |volatile| volatile.word())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_from_run_to_run_is_redacted() {
        let redactor = Redactor::new().path(Path::new("/tmp/x/project"), "[PROJECT]");
        let said = "[   1.2s] run 20260101-120000-0123abcd: `/tmp/x/project/a.toml`\n\
                    [target.x] repro 0123456789ab (nightly-x86_64-unknown-linux-gnu, 1.95.0)\n";
        assert_eq!(
            redactor.redact(said),
            "[ELAPSED] run [RUN]: `[PROJECT]/a.toml`\n[target.x] repro [FINDING] ([TOOLCHAIN], 1.95.0)\n"
        );
    }
}
