//! Starts programs.
#![forbid(unsafe_code)]
