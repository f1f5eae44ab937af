//! The names that a server goes by.
//!
//! A web page can let the name of its own site mean our address, and is then of one origin with us as far as its browser
//! knows. What it cannot change is that name, which the browser sends along as `Host`.

use std::str::FromStr;

use super::authority::{Authority, Host};
use super::headers::{Header, header};
use super::{Bound, Refusal};

/// What a machine calls itself.
const LOCALHOST: &str = "localhost";

/// Ports that a Host header leaves out, by the scheme: of http and https.
const DEFAULT_PORTS: [u16; 2] = [80, 443];

/// A name that a server goes by, on one port or on any.
///
/// ```
/// use exec_server::access::HostName;
///
/// assert_eq!("build.example:4000".parse::<HostName>(), "Build.Example:4000".parse());
/// assert!("https://build.example".parse::<HostName>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostName(Authority);

/// A text is no name of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither `NAME` nor `NAME:PORT`")]
pub struct InvalidHostName;

impl FromStr for HostName {
    type Err = InvalidHostName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Authority::parse(text).map(Self).ok_or(InvalidHostName)
    }
}

impl HostName {
    fn covers(&self, named: &Authority) -> bool {
        let is_port = match (self.0.port, named.port) {
            (None, _) => true,
            (Some(port), None) => DEFAULT_PORTS.contains(&port),
            (Some(port), Some(named)) => port == named,
        };
        is_port && self.0.host == named.host
    }
}

/// Refuses requests that are for somebody else.
pub(super) fn check(
    hosts: &[HostName],
    request: &httparse::Request<'_, '_>,
    bound: Bound,
) -> Result<(), Refusal> {
    // No browser reaches a Unix socket, and its clients write there what they like.
    if matches!(bound, Bound::Unix { .. }) {
        return Ok(());
    }
    let value = match header(request, "host") {
        Header::Once(value) => value,
        Header::Absent => return Err(Refusal::NoHost),
        Header::Repeated => return Err(Refusal::SeveralHosts),
    };
    let named = std::str::from_utf8(value).ok().and_then(Authority::parse);
    let named = named.ok_or(Refusal::InvalidHost)?;
    let is_ours = match &named.host {
        Host::Address(_) => true,
        Host::Name(name) => name == LOCALHOST,
    };
    if is_ours || hosts.iter().any(|host| host.covers(&named)) {
        Ok(())
    } else {
        Err(Refusal::ForeignHost)
    }
}
