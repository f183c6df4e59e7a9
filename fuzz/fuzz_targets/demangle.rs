//! A symbol. The check is `shakedown_fuzz_checks::symbol`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| shakedown_fuzz_checks::symbol(data));
