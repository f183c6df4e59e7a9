#![no_main]

use libfuzzer_sys::fuzz_target;

#[cfg(not(feature = "backwards"))]
fuzz_target!(|data: &[u8]| {
    pump::pump(data);
});

#[cfg(feature = "backwards")]
fuzz_target!(|data: &[u8]| {
    pump::pump(&data.iter().rev().copied().collect::<Vec<_>>());
});
