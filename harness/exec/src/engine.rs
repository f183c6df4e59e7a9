//! Engines: what runs a target on inputs. Each says its commands as data; `process` runs them.
//!
//! There is one so far, libFuzzer. C, C++ and Python (atheris) targets speak its flags too.

pub mod libfuzzer;
