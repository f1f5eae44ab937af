//! Who a peer is.

use std::sync::Arc;

/// Who a peer is. A session belongs to the identity that opened it. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Identity {
    /// Whoever is on stdio, in this program, or on a websocket that asks for nothing.
    Local,
    /// A user of this machine, by the system's word for it: a peer on a Unix socket.
    User(u32),
    /// Whoever knows the server's token.
    Token,
    /// Whom a signed token names. Tokens that name nobody are all the same one.
    Subject {
        /// Who says so.
        issuer: Option<Arc<str>>,
        /// Whom they mean.
        subject: Option<Arc<str>>,
    },
}
