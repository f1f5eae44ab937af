//! The web pages that may connect.
//!
//! A browser lets any page open a websocket to any address, loopback included, and says in `Origin` which page it was.
//! Programs that are no browsers send none.

use std::str::FromStr;

use super::Refusal;
use super::authority::Authority;
use super::headers::{Header, header};

/// Where a web page comes from: `SCHEME://HOST[:PORT]`, or `null` for one that does not say.
///
/// ```
/// use exec_server::access::Origin;
///
/// assert_eq!("https://IDE.example".parse::<Origin>(), "HTTPS://ide.example:443".parse());
/// assert!("https://ide.example/path".parse::<Origin>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(Page);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Page {
    /// A file, or one in a sandbox. Any page can make itself one.
    Null,
    /// One of a site.
    Site { scheme: String, authority: Authority },
}

/// A text is no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither `SCHEME://HOST`, `SCHEME://HOST:PORT` nor `null`; an origin has no path")]
pub struct InvalidOrigin;

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "null" {
            return Ok(Self(Page::Null));
        }
        let (scheme, authority) = text.split_once("://").ok_or(InvalidOrigin)?;
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        let authority = Authority::parse(authority).filter(|_| is_scheme);
        let Authority { host, port } = authority.ok_or(InvalidOrigin)?;
        let scheme = scheme.to_ascii_lowercase();
        let port = port.or(match scheme.as_str() {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        });
        let authority = Authority { host, port };
        Ok(Self(Page::Site { scheme, authority }))
    }
}

/// Refuses requests of web pages that are not among these.
pub(super) fn check(origins: &[Origin], request: &httparse::Request<'_, '_>) -> Result<(), Refusal> {
    let value = match header(request, "origin") {
        Header::Absent => return Ok(()),
        Header::Once(value) => value,
        Header::Repeated => return Err(Refusal::SeveralOrigins),
    };
    let origin = std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse::<Origin>().ok());
    if origin.is_some_and(|origin| origins.contains(&origin)) {
        Ok(())
    } else {
        Err(Refusal::ForeignOrigin)
    }
}
