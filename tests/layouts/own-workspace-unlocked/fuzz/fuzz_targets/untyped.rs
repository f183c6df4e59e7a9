#![no_main]

libfuzzer_sys::fuzz_target!(|whatever_the_sea_brings| {
    lantern::light();
    whatever_the_sea_brings.iter().copied().all(lantern::is_colour);
});
