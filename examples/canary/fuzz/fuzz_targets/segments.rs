#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|soundings: &[u8]| {
    canary::segments::deepest(soundings);
});
