#![no_main]
#[macro_use]
extern crate libfuzzer_sys;

fuzz_target!(|data| {
    galley::rations(data);
});
