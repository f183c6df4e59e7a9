#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    mast::height(data);
});

#[cfg(not(fuzzing))]
fn main() {
    for path in std::env::args_os().skip(1) {
        mast::height(&std::fs::read(path).expect("a readable input"));
    }
}
