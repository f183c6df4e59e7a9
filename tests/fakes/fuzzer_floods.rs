//! A fuzzer whose code under test prints without end, and hears no signal.
#![forbid(unsafe_code)]

use shakedown_tests::fuzzer;

fn main() -> nix::Result<()> {
    nix::sys::signal::SigSet::all().thread_block()?;
    fuzzer::greet();
    fuzzer::status("INITED", 2);
    let line = "I must tell you. ".repeat(200);
    loop {
        fuzzer::say(&line);
    }
}
