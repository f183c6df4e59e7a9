#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|packed: &[u8]| {
    let _ = canary::unpack::unpack(packed);
});
