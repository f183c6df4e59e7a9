//! A binary with symbols and debug information. The check is `shakedown_fuzz_checks::binary`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| shakedown_fuzz_checks::binary(data));
