#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bill: &[u8]| {
    let _ = canary::watches::add_up(bill);
});
