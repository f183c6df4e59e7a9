// An AFL++ target: its `main` is its own, and `fuzz!` reads standard input or shared memory.
fn main() {
    afl::fuzz!(|data: &[u8]| {
        oar::strokes(data);
    });
}
