#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    assert_eq!(buoy::is_lit(data), lamp::is_lit(data));
});
