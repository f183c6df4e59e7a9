//! A fuzzer that stops moving once it has begun, and hears no signal.
#![forbid(unsafe_code)]

use std::time::Duration;

use shakedown_tests::fuzzer;

fn main() -> nix::Result<()> {
    nix::sys::signal::SigSet::all().thread_block()?;
    fuzzer::greet();
    fuzzer::status("INITED", 2);
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}
