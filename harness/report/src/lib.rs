//! Says what a run found: a view in which everything is decided, and renderers that only lay it out.
//!
//! Reading order: [`view`], then a file a format in [`render`]. Reports are a pure function of a stored run.
#![forbid(unsafe_code)]

pub mod render;
pub mod view;
