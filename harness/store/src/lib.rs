//! Remembers: runs, findings and measurements in SQLite, inputs and logs as files named by their SHA-256.
//!
//! Reading order: [`store`] (what can be asked and told), [`objects`] (the files), `schema` (the tables), `format` (what a
//! stored run looks like). Nothing here decides anything; `core` does.
#![forbid(unsafe_code)]

mod error;
pub mod findings;
mod format;
pub mod objects;
pub mod runs;
mod schema;
pub mod store;
mod triaged;

pub use error::StoreError;
pub use store::Store;
