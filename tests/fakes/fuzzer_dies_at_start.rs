//! A fuzzer that dies before it has run anything, and leaves no input to blame.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use shakedown_tests::fuzzer;

fn main() -> ExitCode {
    fuzzer::greet();
    fuzzer::say("failed to open /etc/fake/licence.key");
    ExitCode::from(1)
}
