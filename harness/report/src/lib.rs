//! Says.
#![forbid(unsafe_code)]
