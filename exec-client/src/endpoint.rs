//! Where a server listens, and what it is shown.

mod token;

use std::path::PathBuf;
use std::str::FromStr;

use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::error::ConnectError;
use token::Token;

/// What a request over a Unix socket is for. The server knows better.
const UNIX_URL: &str = "ws://localhost/";

/// Where a server listens, and what it is shown: `ws://HOST:PORT`, `wss://HOST:PORT` or `unix:///PATH`.
///
/// A token is sent in a header and never stands in the URL, which others see. Over `ws://` whoever carries the bytes can read it:
/// that is for loopback, or a tunnel.
///
/// ```
/// use exec_client::Endpoint;
///
/// let endpoint: Endpoint = "wss://build.example:4000".parse()?;
/// let endpoint = endpoint.with_token_file("/run/secrets/exec-server");
/// # Ok::<(), exec_client::ConnectError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Endpoint {
    place: Place,
    token: Option<Token>,
    #[cfg(feature = "tls")]
    ca_file: Option<PathBuf>,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Tcp {
        url: String,
        /// Host and port.
        address: String,
        security: Security,
    },
    Unix(PathBuf),
}

/// Who can read what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Security {
    /// Whoever carries it.
    Plain,
    /// Nobody else.
    Tls,
}

impl FromStr for Endpoint {
    type Err = ConnectError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let place = place(url).ok_or_else(|| ConnectError::InvalidUrl { url: url.into() })?;
        Ok(Self {
            place,
            token: None,
            #[cfg(feature = "tls")]
            ca_file: None,
        })
    }
}

impl Endpoint {
    /// Shows this token.
    ///
    /// # Errors
    ///
    /// [`ConnectError::InvalidToken`] if it does not fit into a header.
    pub fn with_token(mut self, token: &str) -> Result<Self, ConnectError> {
        self.token = Some(Token::given(token).ok_or(ConnectError::InvalidToken)?);
        Ok(self)
    }

    /// Shows the token in this file, which is read for each connection, so that it can be replaced meanwhile. White space at
    /// its end is none of it.
    #[must_use]
    pub fn with_token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.token = Some(Token::InFile(path.into()));
        self
    }

    /// Trusts the certificates in this file (PEM), and no others, where `wss://` is spoken. It is read for each connection.
    ///
    /// Without it those are trusted that the system trusts; the variables `SSL_CERT_FILE` and `SSL_CERT_DIR` name others.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn with_ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// What a request is for.
    pub(crate) fn url(&self) -> &str {
        match &self.place {
            Place::Tcp { url, .. } => url,
            Place::Unix(_) => UNIX_URL,
        }
    }

    /// The value of the header that shows the token. Reads it, if it is in a file.
    pub(crate) async fn authorization(&self) -> Result<Option<HeaderValue>, ConnectError> {
        match &self.token {
            Some(token) => token.header().await.map(Some),
            None => Ok(None),
        }
    }

    #[cfg(feature = "tls")]
    pub(crate) fn ca_file(&self) -> Option<&PathBuf> {
        self.ca_file.as_ref()
    }
}

fn place(url: &str) -> Option<Place> {
    if let Some(path) = url.strip_prefix("unix://") {
        return path.starts_with('/').then(|| Place::Unix(path.into()));
    }
    let (security, rest) = match url.strip_prefix("wss://") {
        Some(rest) => (Security::Tls, rest),
        None => (Security::Plain, url.strip_prefix("ws://")?),
    };
    let address = rest.split(['/', '?']).next()?;
    let (host, port) = address.rsplit_once(':')?;
    (!host.is_empty() && port.parse::<u16>().is_ok()).then(|| Place::Tcp {
        url: url.into(),
        address: address.into(),
        security,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for (url, expected) in [
            ("ws://127.0.0.1:80", Some(("127.0.0.1:80", Security::Plain))),
            ("ws://[::1]:80/path?query", Some(("[::1]:80", Security::Plain))),
            ("ws://host:80?query", Some(("host:80", Security::Plain))),
            ("wss://host:80", Some(("host:80", Security::Tls))),
            ("ws://host", None),
            ("ws://:80", None),
            ("host:80", None),
            ("https://host:80", None),
        ] {
            let expected = expected.map(|(address, security)| Place::Tcp {
                url: url.into(),
                address: address.into(),
                security,
            });
            assert_eq!(place(url), expected, "{url}");
        }
    }

    #[test]
    fn a_unix_socket_has_an_absolute_path() {
        assert_eq!(
            place("unix:///run/a b.sock"),
            Some(Place::Unix("/run/a b.sock".into()))
        );
        for url in ["unix://run/x.sock", "unix:/run/x.sock", "unix://"] {
            assert_eq!(place(url), None, "{url}");
        }
    }

    #[test]
    fn debug_does_not_tell_the_token() {
        let endpoint: Endpoint = "ws://host:80".parse().unwrap();
        let endpoint = endpoint.with_token("hunter2").unwrap();
        assert!(!format!("{endpoint:?}").contains("hunter2"));
    }
}
