//! Leaves a grandchild that is hard to find: forked twice, in a session of its own, deaf to signals.
//!
//! `leaves-a-grandchild end` then ends; `leaves-a-grandchild stay` stays. The grandchild's own mode is `hide`.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a fake's lines are its scene")]

use std::time::Duration;

use shakedown_tests::processes::leave_a_grandchild;

fn main() {
    leave_a_grandchild();
    println!("left");
    if std::env::args().nth(1).as_deref() == Some("stay") {
        std::thread::sleep(Duration::from_secs(3600));
    }
}
