//! What can go wrong: one enum per operation.

use std::io;

use exec_protocol::RpcError;

/// The connection is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection is gone")]
pub struct Disconnected;

/// Why a connection could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Not of the form `ws://HOST:PORT`, with or without a path.
    #[error("{url:?} is not a ws:// address with a port")]
    InvalidUrl {
        /// What was given.
        url: String,
    },
    /// Nobody listens there, or nobody can be reached.
    #[error("failed to connect to {address}")]
    Tcp {
        /// Host and port.
        address: String,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// Whoever listens there refused to speak websocket with us.
    #[error("the websocket handshake failed")]
    // Boxed, because it is large and its type is the business of a dependency.
    Handshake(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why a client could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// There is no connection.
    #[error("failed to connect")]
    Connect(#[from] ConnectError),
    /// There is a connection, but no session: `initialize` failed.
    #[error("failed to open a session")]
    Initialize(#[from] CallError),
    /// The server took longer than 10 s to answer.
    #[error("the server did not answer in time")]
    TimedOut,
}

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The server answered with an error.
    #[error("the server refused")]
    Rpc(#[from] RpcError),
    /// The connection broke before the answer came, and the request was not one to repeat; or it
    /// could not be resumed. Whether the request was carried out is unknown.
    #[error(transparent)]
    Disconnected(#[from] Disconnected),
    /// The server's answer is not what the method promises.
    #[error("the answer to {method} is malformed")]
    Malformed {
        /// Which method.
        method: &'static str,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The request is longer than the server takes. It was not sent: the server would close the
    /// connection over it.
    #[error("a request of {bytes} bytes is longer than {limit}")]
    TooLarge {
        /// Its length, in bytes.
        bytes: usize,
        /// The longest the server takes, in bytes.
        limit: usize,
    },
}

impl CallError {
    pub(crate) fn malformed(
        method: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Malformed {
            method,
            source: source.into(),
        }
    }
}
