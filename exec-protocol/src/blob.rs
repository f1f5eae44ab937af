//! Bytes that are base64 on the wire.

use std::fmt;

use bytes::Bytes;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Raw bytes that travel as standard base64 with padding.
///
/// They are a process's own bytes: never forced into UTF-8, never cut at a character's border.
/// Cloning is cheap.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Blob(pub Bytes);

impl fmt::Debug for Blob {
    // A payload must not end up in a log by way of `{:?}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes)", self.0.len())
    }
}

/// A string that should have been standard base64 with padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not standard base64 with padding")]
pub struct InvalidBase64;

impl Blob {
    /// Decodes standard base64 with padding.
    ///
    /// # Errors
    ///
    /// [`InvalidBase64`] for another alphabet, missing padding, white space or stray bits.
    pub fn from_base64(text: &str) -> Result<Self, InvalidBase64> {
        let bytes = base64_simd::STANDARD
            .decode_to_vec(text)
            .map_err(|_| InvalidBase64)?;
        Ok(Self(bytes.into()))
    }

    /// Encodes the bytes as standard base64 with padding.
    pub fn to_base64(&self) -> String {
        base64_simd::STANDARD.encode_to_string(&self.0)
    }
}

/// Appends the base64 of `bytes` to `out`, without an allocation of its own.
pub(crate) fn append_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    base64_simd::STANDARD.encode_append(bytes, out);
}

impl<T: Into<Bytes>> From<T> for Blob {
    fn from(bytes: T) -> Self {
        Self(bytes.into())
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_base64())
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Base64;

        impl Visitor<'_> for Base64 {
            type Value = Blob;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string of standard base64")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Blob, E> {
                Blob::from_base64(text).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Base64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_survive_the_round_trip(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let blob = Blob::from(bytes);
            prop_assert_eq!(Blob::from_base64(&blob.to_base64()), Ok(blob));
        }
    }

    #[test]
    fn what_is_not_standard_base64_is_refused() {
        for text in [
            "a", "YQ", "YQ=", "YQ===", "Y Q==", "YQ==\n", "-_-_", "YR==", "=", "YQ==YQ==",
        ] {
            assert_eq!(Blob::from_base64(text), Err(InvalidBase64), "{text:?}");
        }
    }
}
