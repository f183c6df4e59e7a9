//! A fuzzer that finds nothing.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    shakedown_tests::fuzzer::play(|_| None)
}
