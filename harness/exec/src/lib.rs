//! Starts programs.
#![forbid(unsafe_code)]

pub mod symbolize;
