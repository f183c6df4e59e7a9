//! The `shakedown` program: turns an outcome into an exit code.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    shakedown::main(std::env::args_os().collect())
}
