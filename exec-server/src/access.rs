//! Who may come in by a websocket: what its handshake must show, and who its peer is then. Pure, but for reading secrets.

mod authority;
mod bearer;
mod credentials;
pub(crate) mod failures;
mod headers;
mod host;
mod identity;
mod origin;
mod refusal;
mod secret;
mod token;

use std::time::SystemTime;

pub use bearer::SignedBearer;
pub use credentials::Credentials;
pub use host::{HostName, InvalidHostName};
pub use origin::{InvalidOrigin, Origin};
pub use secret::{Secret, SecretError};
pub use token::{CapabilityToken, InvalidDigest, UnfitToken};

pub(crate) use identity::Identity;
pub(crate) use refusal::Refusal;

/// What the peer of a websocket must show. The default asks for nothing, and keeps web pages out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// What a peer on a TCP socket must know. None: whoever reaches the socket comes in, which is right on loopback only.
    ///
    /// On a Unix socket the system says who the peer is, and nothing is asked for: this user could read the token anyway.
    pub credentials: Option<Credentials>,
    /// The web pages that may connect, by their origins.
    pub origins: Vec<Origin>,
    /// The names that this server goes by, beside `localhost` and every address.
    pub hosts: Vec<HostName>,
}

/// The kind of socket that a request came in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    /// One that anybody may reach who reaches the address.
    Tcp,
    /// One in the file system, by a peer of this user, as the system says.
    Unix {
        /// The peer's user.
        uid: u32,
    },
}

impl Access {
    /// Decides whether a request may use this server, and who its peer is. Holds for websockets and for what the server tells
    /// about itself.
    ///
    /// # Errors
    ///
    /// A [`Refusal`], which has nothing that the request said.
    pub(crate) fn admit(
        &self,
        request: &httparse::Request<'_, '_>,
        bound: Bound,
        now: SystemTime,
    ) -> Result<Identity, Refusal> {
        host::check(&self.hosts, request, bound)?;
        origin::check(&self.origins, request)?;
        match (bound, &self.credentials) {
            (Bound::Unix { uid }, _) => Ok(Identity::User(uid)),
            (Bound::Tcp, None) => Ok(Identity::Local),
            (Bound::Tcp, Some(credentials)) => credentials.check(headers::bearer(request)?, now),
        }
    }

    /// Decides whether a request may learn that this server is alive, which is all that a probe asks.
    ///
    /// A probe may speak HTTP/1.0 and name no host; browsers always do.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] if the request is for a host of another name.
    pub(crate) fn admit_probe(
        &self,
        request: &httparse::Request<'_, '_>,
        bound: Bound,
    ) -> Result<(), Refusal> {
        match host::check(&self.hosts, request, bound) {
            Err(Refusal::NoHost) if request.version == Some(0) => Ok(()),
            checked => checked,
        }
    }
}

#[cfg(test)]
mod tests;
