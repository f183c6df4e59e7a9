//! Says its words on both streams and exits with the status that it is told: `exits STATUS WORD..`.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a fake's lines are its scene")]

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    println!("out: {}", words.join(" "));
    eprintln!("err: {}", words.join(" "));
    ExitCode::from(words.first().and_then(|status| status.parse().ok()).unwrap_or(0))
}
