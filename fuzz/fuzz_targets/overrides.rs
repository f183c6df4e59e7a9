//! An overrides file. The check is `shakedown_fuzz_checks::overrides`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| shakedown_fuzz_checks::overrides(data));
