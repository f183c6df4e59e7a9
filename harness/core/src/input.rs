//! An input: bytes given to a target, named by their SHA-256.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The name of an input: the SHA-256 of its bytes, 64 hex digits in lower case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InputId(String);

/// Why a text is not an [`InputId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of an input (64 hex digits)")]
pub struct InvalidInputId(String);

impl InputId {
    /// Names `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex(&Sha256::digest(bytes)))
    }

    /// The 64 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits: enough for people, never used as a key.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

/// Bytes in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
        .collect()
}

impl FromStr for InputId {
    type Err = InvalidInputId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_name =
            text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if is_name { Ok(Self(text.to_owned())) } else { Err(InvalidInputId(text.chars().take(80).collect())) }
    }
}

impl TryFrom<String> for InputId {
    type Error = InvalidInputId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<InputId> for String {
    fn from(id: InputId) -> Self {
        id.0
    }
}

impl fmt::Display for InputId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for InputId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InputId({})", self.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_named_by_its_sha256() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(InputId::of(b"").as_str(), empty);
        assert_eq!(empty.parse(), Ok(InputId::of(b"")));
    }

    #[test]
    fn a_path_is_not_the_name_of_an_input() {
        let path = "../../../../etc/passwd";
        assert!(path.parse::<InputId>().is_err());
        assert!(serde_json::from_str::<InputId>("\"../x\"").is_err());
    }
}
