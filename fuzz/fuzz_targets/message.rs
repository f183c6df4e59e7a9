//! A panic message. The check is `shakedown_fuzz_checks::message`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| shakedown_fuzz_checks::message(data));
