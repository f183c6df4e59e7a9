//! A function name and its file. The check is `shakedown_fuzz_checks::function_name`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| shakedown_fuzz_checks::function_name(data));
