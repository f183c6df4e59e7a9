//! The `shakedown` program.
#![forbid(unsafe_code)]

fn main() {}
