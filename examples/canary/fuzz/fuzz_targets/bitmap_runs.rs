#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|picture: &[u8]| {
    let _ = canary::bitmap::decode_runs(picture);
});
