#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    brig::parse(data);
    std::thread::sleep(std::time::Duration::from_millis(6));
});
