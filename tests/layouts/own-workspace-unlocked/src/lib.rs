use std::sync::OnceLock;

static COLOURS: OnceLock<[u8; 3]> = OnceLock::new();

pub fn light() {
    COLOURS.get_or_init(|| *b"rgw");
}

pub fn is_colour(byte: u8) -> bool {
    COLOURS.get().expect("`light` was called").contains(&byte)
}
