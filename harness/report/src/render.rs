//! One file a format. Renderers do no arithmetic.

pub mod json;
pub mod terminal;
