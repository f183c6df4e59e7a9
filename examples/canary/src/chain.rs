//! The anchor chain: after `#`, a link a byte, kept as a linked list behind raw pointers.

use std::ptr;

/// Links may not be thinner than this, in millimetres.
const THINNEST: u8 = 8;

struct Link {
    thickness: u8,
    next: *mut Link,
}

/// The thinnest link of a chain; `None` if it isn't one, has no links or has one that is too thin.
pub fn weakest(chain: &[u8]) -> Option<u8> {
    let first = forge(chain.strip_prefix(b"#")?)?;
    let mut weakest = u8::MAX;
    let mut at = first;
    while !at.is_null() {
        // SAFETY: every link comes from `forge` and is freed here, once, after its last use.
        let link = unsafe { Box::from_raw(at) };
        weakest = weakest.min(link.thickness);
        at = link.next;
    }
    Some(weakest)
}

#[inline(never)]
fn forge(thicknesses: &[u8]) -> Option<*mut Link> {
    let mut first = ptr::null_mut();
    for thickness in thicknesses {
        if *thickness < THINNEST {
            // DEFECT forgotten-links: the links forged so far are never freed.
            return None;
        }
        first = Box::into_raw(Box::new(Link { thickness: *thickness, next: first }));
    }
    (!first.is_null()).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_as_strong_as_its_weakest_link() {
        assert_eq!(weakest(b"#\x20\x09\x30"), Some(9));
        assert_eq!(weakest(b"#"), None);
    }
}
