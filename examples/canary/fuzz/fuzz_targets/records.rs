#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|log_book: &[u8]| {
    let _ = canary::records::summarize(log_book);
});
