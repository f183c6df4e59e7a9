//! The pure middle: everything that can be decided without touching the world.
//!
//! Reading order: [`target`] and [`input`] (what is run on what), [`text`] (words of strangers).
//! No file system, network, process, clock, environment or printing here: those arrive as arguments.
#![forbid(unsafe_code)]

pub mod crash;
pub mod demangle;
pub mod event;
pub mod finding;
pub mod formats;
pub mod frame;
pub mod input;
pub mod progress;
pub mod run;
pub mod signature;
pub mod target;
pub mod text;
pub mod time;
pub mod verdict;
