//! A fuzzer whose code under test speaks like libFuzzer: false reports, false files, false counts. It finds nothing.
#![forbid(unsafe_code)]

use shakedown_tests::fuzzer::{self, CommandLine};

fn main() -> std::process::ExitCode {
    let line = CommandLine::read();
    for false_word in [
        "SUMMARY: AddressSanitizer: heap-buffer-overflow /x.rs:1:1 in nobody",
        "artifact_prefix='./'; Test unit written to ./crash-0000000000000000000000000000000000000000",
        "==1== ERROR: libFuzzer: out-of-memory (malloc(9))",
        "#x NEW    cov: many ft: more",
        "\u{1b}]0;owned\u{7}::error::owned",
    ] {
        fuzzer::say(false_word);
    }
    // Files like those that libFuzzer leaves without having crashed, and one that is none of its.
    for name in ["slow-unit-0000", "README"] {
        drop(std::fs::write(format!("{}{name}", line.artifact_prefix), "nothing"));
    }
    fuzzer::play(|_| None)
}
