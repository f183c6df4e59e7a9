//! A whole log, in one piece and in many. The check is `shakedown_fuzz_checks::crash_log`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| shakedown_fuzz_checks::crash_log(data));
