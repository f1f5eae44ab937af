//! One token for everybody.

use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use subtle::ConstantTimeEq as _;

use super::Secret;

/// One token for everybody, of which only the digest is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapabilityToken {
    sha256: [u8; SHA256_OUTPUT_LEN],
}

/// A text is no SHA-256 digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 digest of 64 hexadecimal digits; `printf %s \"$TOKEN\" | sha256sum` makes one")]
pub struct InvalidDigest;

/// No client could send this token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the token has a space, a line break or another character that does not fit into a header; `openssl rand -hex 32` makes a good one"
)]
pub struct UnfitToken;

impl CapabilityToken {
    /// This token.
    ///
    /// # Errors
    ///
    /// [`UnfitToken`] if it has anything but visible ASCII.
    pub fn new(token: &Secret) -> Result<Self, UnfitToken> {
        if !token.expose().iter().all(u8::is_ascii_graphic) {
            return Err(UnfitToken);
        }
        Ok(Self {
            sha256: sha256(token.expose()),
        })
    }

    /// The token with this SHA-256 digest, in hexadecimal: for a server that is not to know the token.
    ///
    /// # Errors
    ///
    /// [`InvalidDigest`] unless it is 64 hexadecimal digits.
    pub fn from_sha256(digits: &str) -> Result<Self, InvalidDigest> {
        let digits = digits.as_bytes();
        let mut sha256 = [0; SHA256_OUTPUT_LEN];
        if digits.len() != 2 * SHA256_OUTPUT_LEN {
            return Err(InvalidDigest);
        }
        for (byte, pair) in sha256.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = (nibble(pair[0])? << 4) | nibble(pair[1])?;
        }
        Ok(Self { sha256 })
    }

    /// Whether it is this one. Takes the same time for every wrong one of the same length.
    pub(super) fn is(&self, token: &[u8]) -> bool {
        sha256(token).ct_eq(&self.sha256).into()
    }
}

fn sha256(bytes: &[u8]) -> [u8; SHA256_OUTPUT_LEN] {
    let digest = digest(&SHA256, bytes);
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

fn nibble(digit: u8) -> Result<u8, InvalidDigest> {
    let value = char::from(digit).to_digit(16).ok_or(InvalidDigest)?;
    Ok(u8::try_from(value).expect("a hexadecimal digit is less than 16"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of one block in FIPS 180.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_token_is_known_by_its_digest() {
        for digits in [ABC, &ABC.to_uppercase()] {
            let token = CapabilityToken::from_sha256(digits).unwrap();
            assert!(token.is(b"abc"));
            for wrong in [&b""[..], b"ab", b"abcd", b"Abc", ABC.as_bytes()] {
                assert!(!token.is(wrong));
            }
        }
    }

    #[test]
    fn a_digest_is_64_digits() {
        let spaced = format!(" {ABC}");
        for text in [
            "",
            &ABC[1..],
            &spaced,
            &ABC.replace('b', "g"),
            &ABC.replacen("ba", "é", 1),
        ] {
            assert_eq!(CapabilityToken::from_sha256(text), Err(InvalidDigest), "{text}");
        }
    }

    #[test]
    fn a_token_that_does_not_fit_into_a_header_is_refused() {
        for text in ["two words", "two\nlines", "tab\t", "nul\0", "ü"] {
            assert_eq!(
                CapabilityToken::new(&Secret::of(text.as_bytes())),
                Err(UnfitToken),
                "{text:?}"
            );
        }
        let token = CapabilityToken::new(&Secret::of(b"a-B_9.~+/=")).unwrap();
        assert!(token.is(b"a-B_9.~+/="));
    }
}
