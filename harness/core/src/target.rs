//! A target: a fuzzable function behind an engine.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The name of a target, unique in a project: `target`, or `crate/target` where two fuzz crates share a name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TargetName(String);

impl TargetName {
    /// Takes a name as the project wrote it.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name as people type it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as one component of a path: everything but letters, digits, `-`, `_` and `.` becomes `_`.
    pub fn as_path_component(&self) -> String {
        let component: String = self
            .0
            .chars()
            .map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' })
            .collect();
        if component.trim_matches('.').is_empty() { format!("_{component}") } else { component }
    }
}

impl fmt::Display for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TargetName({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_name_never_leaves_its_folder() {
        for hostile in ["../x", "..", ".", "a/b", "a\\b", "", "a\0b"] {
            let component = TargetName::new(hostile).as_path_component();
            assert!(!component.contains(['/', '\\', '\0']), "{component:?}");
            assert!(!matches!(component.as_str(), "" | "." | ".."), "{component:?}");
        }
    }
}
