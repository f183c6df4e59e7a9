/// A hoist of flags: letters, with `!` for distress.
pub fn read(hoist: &[u8]) -> Option<usize> {
    let letters = hoist.strip_prefix(b"FLAGS ")?;
    let distress = letters.iter().position(|letter| *letter == b'!')?;
    // Planted, for the committed artifact to replay: nothing follows the `!`.
    Some(usize::from(letters[distress + 1]))
}
