//! One line of a stack. The check is `shakedown_fuzz_checks::frame_line`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| shakedown_fuzz_checks::frame_line(data));
