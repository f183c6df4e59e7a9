//! Starts programs: discovery, builds, engines and campaigns.
//!
//! Reading order: [`command`] (what to run, as data), [`process`] (the one place that runs it), [`interrupt`].
#![forbid(unsafe_code)]

pub mod build;
pub mod campaign;
pub mod command;
pub mod corpus;
pub mod discover;
pub mod driver;
pub mod engine;
pub mod interrupt;
pub mod libfuzzer;
pub mod machine;
pub mod process;
pub mod replay;
pub mod symbolize;
pub mod toolchain;

/// An error and its causes on one line, for places that keep a sentence and not an error.
pub fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
