#![no_main]

use libfuzzer_sys::fuzz_target;

mod support;

fuzz_target!(|speed: knots::Speed| {
    support::check(speed);
});
