//! Paths, which are `file://` URIs on the wire.

use std::fmt;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An absolute path of the server's file system.
///
/// Read from a percent-encoded `file://` URI, whose bytes need not be UTF-8, or from a plain
/// absolute path, which is taken literally. Written as a URI.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WirePath(PathBuf);

/// Text that is neither a `file://` URI of this host nor an absolute path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{INVALID_PATH}: {reason}")]
pub struct InvalidPath {
    reason: &'static str,
}

/// Longest path that is read, in bytes, before it is escaped.
///
/// Linux takes paths of up to 4,095 bytes, but leaves it to whoever asks to take `//` and `..` out before. What is far longer would be
/// taken apart into as many names as a message has room for.
pub const MAX_PATH_BYTES: usize = 64 << 10;

/// How the text of every [`InvalidPath`] begins.
pub(crate) const INVALID_PATH: &str = "not a usable path";

const SCHEME: &str = "file://";

/// What one byte of a path takes at most, such as `%20`.
const ESCAPE_BYTES: usize = 3;

/// What RFC 3986 does not allow in a path, beside controls and what is not ASCII.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

impl WirePath {
    /// Takes a path that is already one.
    ///
    /// # Errors
    ///
    /// [`InvalidPath`] if it is relative or holds a NUL byte.
    pub fn new(path: PathBuf) -> Result<Self, InvalidPath> {
        if !path.is_absolute() {
            return Err(InvalidPath {
                reason: "it is not absolute",
            });
        }
        if path.as_os_str().as_encoded_bytes().contains(&0) {
            return Err(InvalidPath {
                reason: "it holds a NUL byte",
            });
        }
        Ok(Self(path))
    }

    /// Reads a URI or a plain absolute path.
    ///
    /// # Errors
    ///
    /// [`InvalidPath`] for more than [`MAX_PATH_BYTES`], another scheme, another host, a query or fragment, a bad escape, a
    /// relative path or a NUL byte.
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        let Some(rest) = text.strip_prefix(SCHEME) else {
            check_length(text.len(), MAX_PATH_BYTES)?;
            return Self::new(PathBuf::from(text));
        };
        let encoded = rest
            .strip_prefix("localhost")
            .filter(|path| path.starts_with('/'))
            .unwrap_or(rest);
        if !encoded.starts_with('/') {
            return Err(InvalidPath {
                reason: "its host is not this one",
            });
        }
        check_length(encoded.len(), MAX_PATH_BYTES * ESCAPE_BYTES)?;
        if encoded.contains(['?', '#']) {
            return Err(InvalidPath {
                reason: "it has a query or a fragment",
            });
        }
        if !escapes_are_whole(encoded) {
            return Err(InvalidPath {
                reason: "it has a bad percent escape",
            });
        }
        let bytes: Vec<u8> = percent_decode_str(encoded).collect();
        check_length(bytes.len(), MAX_PATH_BYTES)?;
        Self::new(path_from_bytes(bytes)?)
    }

    /// The path.
    pub fn as_path(&self) -> &Path {
        &self.0
    }

    /// The path, given away.
    pub fn into_path(self) -> PathBuf {
        self.0
    }
}

impl fmt::Display for WirePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0.as_os_str().as_encoded_bytes();
        let separator = if bytes.starts_with(b"/") { "" } else { "/" };
        write!(f, "{SCHEME}{separator}{}", percent_encode(bytes, ESCAPED))
    }
}

impl Serialize for WirePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WirePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

fn check_length(bytes: usize, most: usize) -> Result<(), InvalidPath> {
    if bytes > most {
        return Err(InvalidPath {
            reason: "it is too long",
        });
    }
    Ok(())
}

fn escapes_are_whole(encoded: &str) -> bool {
    let bytes = encoded.as_bytes();
    let is_hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    memchr::memchr_iter(b'%', bytes).all(|at| is_hex(at + 1) && is_hex(at + 2))
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere a path must be Unicode")]
fn path_from_bytes(bytes: Vec<u8>) -> Result<PathBuf, InvalidPath> {
    use std::os::unix::ffi::OsStringExt as _;
    Ok(std::ffi::OsString::from_vec(bytes).into())
}

#[cfg(not(unix))]
fn path_from_bytes(bytes: Vec<u8>) -> Result<PathBuf, InvalidPath> {
    let text = String::from_utf8(bytes).map_err(|_| InvalidPath {
        reason: "it is not UTF-8",
    })?;
    // `file:///C:/x` names `C:/x`.
    Ok(text.trim_start_matches('/').into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

    proptest! {
        #[test]
        fn any_path_survives_the_round_trip(tail in prop::collection::vec(1u8.., 0..40)) {
            let bytes = [b"/".as_slice(), &tail].concat();
            let path = WirePath::new(PathBuf::from(std::ffi::OsString::from_vec(bytes))).unwrap();
            let uri = path.to_string();
            prop_assert!(uri.is_ascii());
            prop_assert_eq!(WirePath::parse(&uri), Ok(path));
        }
    }

    #[test]
    fn uris_and_plain_paths_are_read() {
        for (text, path) in [
            ("/tmp/a%20b", "/tmp/a%20b"),
            ("file:///tmp/a%20b", "/tmp/a b"),
            ("file://localhost/tmp", "/tmp"),
            ("file:///%C3%BC", "/ü"),
        ] {
            assert_eq!(
                WirePath::parse(text).unwrap().as_path(),
                Path::new(path),
                "{text}"
            );
        }
        let raw = WirePath::parse("file:///%ff").unwrap();
        assert_eq!(raw.as_path().as_os_str().as_bytes(), b"/\xff");
    }

    #[test]
    fn a_path_has_its_longest_length_however_it_is_written() {
        let longest = format!("/{}", " ".repeat(MAX_PATH_BYTES - 1));
        let path = WirePath::parse(&longest).unwrap();
        let uri = path.to_string();
        assert_eq!(WirePath::parse(&uri), Ok(path));
        for longer in [
            format!("{longest} "),
            format!("{uri}%20"),
            format!("file:///{}", "a".repeat(MAX_PATH_BYTES)),
            format!("file://{}", "%2F".repeat(MAX_PATH_BYTES + 1)),
        ] {
            assert!(WirePath::parse(&longer).is_err());
        }
    }

    #[test]
    fn what_names_no_path_here_is_refused() {
        for text in [
            "",
            "tmp",
            "./tmp",
            "file://host/tmp",
            "file://",
            "file:tmp",
            "http://localhost/tmp",
            "file:///tmp?x",
            "file:///tmp#x",
            "file:///%2",
            "file:///%zz",
            "file:///%00",
            "/a\0b",
        ] {
            assert!(WirePath::parse(text).is_err(), "{text:?}");
        }
    }
}
