//! The stages of a run, each a function from the last one's value to the next one's.

pub(crate) mod collect;
pub(crate) mod confirm;
pub(crate) mod grouping;
pub(crate) mod plan;
pub(crate) mod prepare;
pub(crate) mod replay;
