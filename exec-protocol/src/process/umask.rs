//! The permissions that new files do not get.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The permissions that new files do not get: nine bits, on the wire one to four octal digits in a string.
///
/// A string, because people know masks in octal, and a number would be read as decimal by whoever wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Umask(u16);

/// Not the octal digits of nine bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a umask is one to four octal digits, at most 0777")]
pub struct InvalidUmask;

impl Umask {
    /// The bits, at most `0o777`.
    pub const fn bits(self) -> u16 {
        self.0
    }
}

impl FromStr for Umask {
    type Err = InvalidUmask;

    fn from_str(text: &str) -> Result<Self, InvalidUmask> {
        let is_octal = text.bytes().all(|digit| matches!(digit, b'0'..=b'7'));
        if !is_octal || text.len() > 4 {
            return Err(InvalidUmask);
        }
        u16::from_str_radix(text, 8)
            .ok()
            .filter(|bits| *bits <= 0o777)
            .map(Self)
            .ok_or(InvalidUmask)
    }
}

impl fmt::Display for Umask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03o}", self.0)
    }
}

impl TryFrom<String> for Umask {
    type Error = InvalidUmask;

    fn try_from(text: String) -> Result<Self, InvalidUmask> {
        text.parse()
    }
}

impl From<Umask> for String {
    fn from(mask: Umask) -> Self {
        mask.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_nine_bits_in_octal() {
        for (text, bits) in [
            ("0", 0),
            ("22", 0o22),
            ("077", 0o77),
            ("0777", 0o777),
            ("0000", 0),
        ] {
            assert_eq!(text.parse().map(Umask::bits), Ok(bits), "{text}");
        }
        for text in [
            "", "8", "0o22", "+7", "-7", " 22", "1000", "1777", "00022", "rwx", "２２",
        ] {
            assert_eq!(text.parse::<Umask>(), Err(InvalidUmask), "{text:?}");
        }
        assert_eq!("7".parse::<Umask>().unwrap().to_string(), "007");
    }
}
