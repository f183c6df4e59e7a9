#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|chain: &[u8]| {
    let _ = canary::chain::weakest(chain);
});
