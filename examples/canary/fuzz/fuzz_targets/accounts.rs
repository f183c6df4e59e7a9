#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|script: &str| {
    let _ = canary::stores::account(script);
});
