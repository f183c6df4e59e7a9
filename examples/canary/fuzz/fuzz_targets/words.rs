#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let counted: usize = canary::words::count(text).values().sum();
    assert!(counted <= text.len());
});
