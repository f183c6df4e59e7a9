//! Remembers.
#![forbid(unsafe_code)]
