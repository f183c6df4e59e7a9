//! Grouping: which finding a crash belongs to, after proposed merges and the team's committed decisions.

use std::path::Path;

use shakedown_core::crash::Crash;
use shakedown_core::signature::overrides::{Assignment, Overrides};
use shakedown_core::signature::{Evidence, Keys, Merge, group};

use crate::error::CliError;

/// The team's committed decisions on findings, at the project's root.
pub(crate) const OVERRIDES_NAME: &str = "shakedown-findings.toml";

/// All crashes that were looked at, since a merge needs both its sides.
#[derive(Debug, Default)]
pub(crate) struct Grouping {
    overrides: Overrides,
    sightings: Vec<group::Sighting>,
    keys: Vec<Keys>,
}

impl Grouping {
    /// Reads the team's decisions, where there are any.
    pub(crate) fn read(root: &Path) -> Result<Self, CliError> {
        let path = root.join(OVERRIDES_NAME);
        let overrides = match std::fs::read_to_string(&path) {
            Ok(text) => Overrides::parse(&text)
                .map_err(|source| CliError::Overrides { path, source: Box::new(source) })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Overrides::default(),
            Err(source) => return Err(CliError::Overrides { path, source: Box::new(source) }),
        };
        Ok(Self { overrides, ..Self::default() })
    }

    /// Adds a crash. Returns its own keys.
    pub(crate) fn add(&mut self, crash: &Crash) -> Keys {
        let evidence = Evidence::of(crash);
        let keys = Keys::from_evidence(crash, &evidence);
        self.sightings.push(group::Sighting { signature: keys.signature.clone(), evidence });
        self.keys.push(keys.clone());
        keys
    }

    /// Where each crash belongs, in the order in which they were added, and the merges behind it.
    pub(crate) fn assign(&self) -> (Vec<Assignment>, Vec<Merge>) {
        let merges = self.overrides.group(&self.sightings);
        (self.overrides.assign(&self.keys, &merges), merges)
    }
}
