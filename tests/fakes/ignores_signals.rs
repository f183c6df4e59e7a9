//! Hears no signal that can be blocked, and never ends by itself.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a fake's lines are its scene")]

use std::time::Duration;

fn main() -> nix::Result<()> {
    nix::sys::signal::SigSet::all().thread_block()?;
    println!("deaf");
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}
