//! What cargo says while it builds: JSON lines (`cargo build --message-format=json`; the Cargo book, "External tools").

use std::path::{Path, PathBuf};

use serde::Deserialize;
use shakedown_core::text::cut;

/// How much of a compiler's complaint is kept for one target.
const COMPLAINT_BYTES_MAX: usize = 16 * 1024;

/// The parts of cargo's messages that matter here.
#[derive(Debug, Default)]
pub(super) struct Messages {
    executables: Vec<(PathBuf, String, PathBuf)>,
    errors: Vec<CompilerError>,
    /// The end of cargo's own words, for failures that no compiler explains.
    pub(super) end: String,
}

#[derive(Debug)]
struct CompilerError {
    manifest: PathBuf,
    target: String,
    rendered: String,
}

#[derive(Deserialize)]
struct Wire {
    reason: String,
    manifest_path: Option<PathBuf>,
    target: Option<WireTarget>,
    executable: Option<PathBuf>,
    message: Option<WireMessage>,
}

#[derive(Deserialize)]
struct WireTarget {
    name: String,
}

#[derive(Deserialize)]
struct WireMessage {
    level: String,
    rendered: Option<String>,
}

impl Messages {
    /// Takes one line. Returns the name of the unit that is ready, if the line says so; other lines are not ours to judge.
    pub(super) fn take(&mut self, line: &[u8]) -> Option<String> {
        let wire: Wire = serde_json::from_slice(line).ok()?;
        let (manifest, target) = (wire.manifest_path?, wire.target?.name);
        match (wire.reason.as_str(), wire.executable, wire.message) {
            ("compiler-artifact", executable, _) => {
                if let Some(executable) = executable {
                    self.executables.push((manifest, target.clone(), executable));
                }
                Some(target)
            }
            ("compiler-message", _, Some(message)) if message.level == "error" => {
                let rendered = message.rendered.unwrap_or_default();
                self.errors.push(CompilerError { manifest, target, rendered });
                None
            }
            _ => None,
        }
    }

    /// The program of a binary target.
    pub(super) fn executable(&self, manifest: &Path, bin: &str) -> Option<PathBuf> {
        let found = self.executables.iter().rev().find(|(of, name, _)| of == manifest && name == bin);
        found.map(|(_, _, executable)| executable.clone())
    }

    /// Why a binary target has no program: its own errors, else those of what it depends on, else cargo's words.
    pub(super) fn failure(&self, manifest: &Path, bin: &str) -> String {
        let is_own = |error: &&CompilerError| error.manifest == manifest && error.target == bin;
        let own: Vec<_> = self.errors.iter().filter(is_own).collect();
        let others = || self.errors.iter().filter(|error| error.manifest != manifest).collect();
        let relevant: Vec<_> = if own.is_empty() { others() } else { own };
        let text: String = relevant.iter().map(|error| error.rendered.as_str()).collect();
        let text = if text.is_empty() { &self.end } else { &text };
        cut(text, COMPLAINT_BYTES_MAX).trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(lines: &[&str]) -> Messages {
        let mut messages = Messages { end: "error: could not compile".to_owned(), ..Messages::default() };
        lines.iter().for_each(|line| drop(messages.take(line.as_bytes())));
        messages
    }

    const GOOD: &str = r#"{"reason":"compiler-artifact","package_id":"p","manifest_path":"/f/Cargo.toml","target":{"kind":["bin"],"name":"good","src_path":"/f/g.rs"},"executable":"/t/good","fresh":true}"#;
    const BAD: &str = r#"{"reason":"compiler-message","package_id":"p","manifest_path":"/f/Cargo.toml","target":{"kind":["bin"],"name":"bad"},"message":{"level":"error","rendered":"error[E0425]: cannot find value `x`\n"}}"#;
    const BAD_LIBRARY: &str = r#"{"reason":"compiler-message","package_id":"l","manifest_path":"/l/Cargo.toml","target":{"kind":["lib"],"name":"l"},"message":{"level":"error","rendered":"error: library is broken\n"}}"#;

    #[test]
    fn each_target_gets_its_program_or_its_own_error() {
        let said = messages(&["Compiling…", GOOD, BAD]);
        let manifest = Path::new("/f/Cargo.toml");
        assert_eq!(said.executable(manifest, "good"), Some(PathBuf::from("/t/good")));
        assert_eq!(said.executable(manifest, "bad"), None);
        assert_eq!(said.failure(manifest, "bad"), "error[E0425]: cannot find value `x`");
    }

    #[test]
    fn a_broken_library_explains_its_targets() {
        assert_eq!(
            messages(&[BAD_LIBRARY]).failure(Path::new("/f/Cargo.toml"), "any"),
            "error: library is broken"
        );
    }

    #[test]
    fn without_a_compilers_error_cargos_own_words_are_shown() {
        assert_eq!(messages(&[]).failure(Path::new("/f/Cargo.toml"), "any"), "error: could not compile");
    }
}
