//! Pictures of the coast, of a stated size or in runs.
//!
//! Memory as the input wishes: at once from a header of six bytes, or growing run by run.

/// Decodes `Bp`, width, height and pixels into one byte a pixel; `None` if it isn't a plain picture.
#[inline(never)]
pub fn decode_plain(picture: &[u8]) -> Option<Vec<u8>> {
    let [b'B', b'p', w1, w0, h1, h0, pixels @ ..] = picture else { return None };
    let width = usize::from(u16::from_be_bytes([*w1, *w0]));
    let height = usize::from(u16::from_be_bytes([*h1, *h0]));
    // DEFECT huge-picture: up to 4 GiB on the word of a header.
    let mut decoded = vec![0xff; width * height];
    for (to, from) in decoded.iter_mut().zip(pixels) {
        *to = *from;
    }
    Some(decoded)
}

/// Decodes `Br` and runs into one byte a pixel; `None` if it isn't a picture of runs.
#[inline(never)]
pub fn decode_runs(picture: &[u8]) -> Option<Vec<u8>> {
    let mut rest = picture.strip_prefix(b"Br")?;
    let mut decoded = Vec::new();
    while let [b'+', pixel, c1, c0, scale, next @ ..] = rest {
        let count = usize::from(u16::from_be_bytes([*c1, *c0])) << (scale % 16);
        // DEFECT endless-coast: every five bytes of input may add two gigabytes.
        decoded.resize(decoded.len() + count, *pixel);
        rest = next;
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_pixels_are_padded_with_white() {
        assert_eq!(decode_plain(b"Bp\x00\x02\x00\x02abc"), Some(b"abc\xff".to_vec()));
    }

    #[test]
    fn runs_repeat_their_byte() {
        assert_eq!(decode_runs(b"Br+a\x00\x03\x00+b\x00\x01\x01"), Some(b"aaabb".to_vec()));
    }
}
