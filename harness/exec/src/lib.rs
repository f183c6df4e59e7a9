//! Starts programs: discovery, builds, engines and campaigns.
//!
//! Reading order: [`command`] (what to run, as data), [`process`] (the one place that runs it), [`interrupt`].
#![forbid(unsafe_code)]

pub mod build;
pub mod command;
pub mod discover;
pub mod engine;
pub mod interrupt;
pub mod process;
pub mod toolchain;
