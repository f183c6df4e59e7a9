//! `cargo shakedown`: the same program, called by cargo with its own name as the first argument.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    let mut words: Vec<_> = std::env::args_os().collect();
    if words.get(1).is_some_and(|word| word == "shakedown") {
        words.remove(1);
    }
    shakedown::main(words)
}
