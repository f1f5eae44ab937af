//! What a server is shown.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use tokio::task::spawn_blocking;
use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::error::ConnectError;

/// Longest token in bytes. With it, the head of a request stays within what servers take.
const MAX_TOKEN_BYTES: usize = 6 << 10;

/// What a server is shown.
#[derive(Debug, Clone)]
pub(super) enum Token {
    /// The header for it, whose Debug hides it.
    Given(HeaderValue),
    /// It is in this file at the moment of a connection.
    InFile(PathBuf),
}

impl Token {
    /// This one. None if it does not fit into a header.
    pub(super) fn given(token: &str) -> Option<Self> {
        header(token).map(Self::Given)
    }

    /// The value of the header that shows it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a file may be read on for nobody.
    pub(super) async fn header(&self) -> Result<HeaderValue, ConnectError> {
        match self {
            Self::Given(header) => Ok(header.clone()),
            Self::InFile(path) => {
                let path = path.clone();
                // A disk may hold up whoever reads, and nobody else is to notice.
                spawn_blocking(move || in_file(&path))
                    .await
                    .expect("it does not panic, and nobody aborts it")
            }
        }
    }
}

fn header(token: &str) -> Option<HeaderValue> {
    if token.is_empty() || token.len() > MAX_TOKEN_BYTES || !token.bytes().all(|byte| byte.is_ascii_graphic())
    {
        return None;
    }
    let mut header = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}

fn in_file(path: &Path) -> Result<HeaderValue, ConnectError> {
    read(path).map_err(|source| ConnectError::TokenFile {
        path: path.into(),
        source,
    })
}

fn read(path: &Path) -> io::Result<HeaderValue> {
    let mut text = String::new();
    File::open(path)?
        .take(MAX_TOKEN_BYTES as u64 + 1)
        .read_to_string(&mut text)?;
    header(text.trim_end()).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "it is empty, too long, or more than one word",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(contents: &[u8]) -> io::Result<HeaderValue> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), contents).unwrap();
        read(file.path())
    }

    #[test]
    fn a_token_is_one_word() {
        assert_eq!(file(b"abc.DEF-1~+/=\r\n\n").unwrap(), "Bearer abc.DEF-1~+/=");
        let long = [b'x'; MAX_TOKEN_BYTES + 1];
        let wrong = [
            &b""[..],
            b"\n",
            b"two words",
            b"two\nlines",
            b" x",
            b"\xff",
            b"a\0b",
            "ü".as_bytes(),
            &long,
        ];
        for contents in wrong {
            let error = file(contents).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{contents:?}");
        }
    }
}
