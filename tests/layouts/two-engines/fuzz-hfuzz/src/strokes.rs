// A honggfuzz target: it loops itself.
fn main() {
    loop {
        honggfuzz::fuzz!(|data: &[u8]| {
            oar::strokes(data);
        });
    }
}
