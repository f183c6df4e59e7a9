//! The canary: parsers of a ship's papers, each with the kind of mistake that a fuzzer exists to find.
//!
//! The code is as plain as it can be while being believable. Every defect stands below a comment
//! `DEFECT <name>`, and `defects.toml` beside this crate says what each looks like when it is found. Do not
//! fix them: the end-to-end tests fail when one is *not* found.
//!
//! Reading order: [`records`], [`watches`] and [`stores`] panic, [`macros`] overflows the stack, [`unpack`]
//! and [`pool`] corrupt memory, [`chain`] loses it, [`bitmap`] wants too much of it, [`segments`] never ends.
//! [`words`] and [`bearing`] are sound.

pub mod bearing;
pub mod bitmap;
pub mod chain;
pub mod macros;
pub mod pool;
pub mod records;
pub mod segments;
pub mod stores;
pub mod unpack;
pub mod watches;
pub mod words;
