#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    let [colour] = data else { return Corpus::Reject };
    lantern::light();
    lantern::is_colour(*colour);
    Corpus::Keep
});
