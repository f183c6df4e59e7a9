//! A fuzzer that ends as after a crash, in the middle of its work, without a word and without a file.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use shakedown_tests::fuzzer::{self, CRASH_STATUS};

fn main() -> ExitCode {
    fuzzer::greet();
    fuzzer::status("INITED", 2);
    ExitCode::from(CRASH_STATUS)
}
