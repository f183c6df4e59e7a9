#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: {
        lantern::light();
    },
    |data: &[u8]| {
        data.iter().copied().all(lantern::is_colour);
    }
);
