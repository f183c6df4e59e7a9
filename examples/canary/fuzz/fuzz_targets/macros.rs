#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|hoist: &[u8]| {
    canary::macros::expand_all(hoist);
});
