//! The integration tests: one program, one module a subject, tests as sentences.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests as well")]

mod campaigns;
mod commands;
#[cfg(feature = "end-to-end")]
mod end_to_end;
mod layouts;
mod processes;
mod refusals;
mod tidy;
