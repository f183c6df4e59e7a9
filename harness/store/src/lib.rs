//! Remembers: runs, findings and measurements in SQLite, inputs and logs as files named by their SHA-256.
//!
//! Reading order: [`store`] (opening one), [`objects`] (the files), `schema` (the tables), `intake` (crashes come in),
//! [`findings`] and [`runs`] (what can be asked), `format` (what a stored run looks like). Nothing here decides anything; `core` does.
#![forbid(unsafe_code)]

mod error;
pub mod findings;
mod format;
mod intake;
pub mod objects;
pub mod runs;
#[cfg(test)]
mod sample;
mod schema;
pub mod store;
mod triaged;

pub use error::StoreError;
pub use store::Store;
