//! A fuzzer whose code under test leaves a daemon behind with each process, and finds nothing.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    shakedown_tests::processes::leave_a_grandchild();
    shakedown_tests::fuzzer::play(|_| None)
}
