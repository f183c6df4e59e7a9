//! A made-up crash: what must not change its signature. The check is `shakedown_fuzz_checks::signature`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| shakedown_fuzz_checks::signature(data));
