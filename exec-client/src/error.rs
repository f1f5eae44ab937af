//! What can go wrong: one enum per operation.

use std::io;
use std::path::PathBuf;

use exec_protocol::RpcError;

/// The connection is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection is gone")]
pub struct Disconnected;

/// Why a connection could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Not of the form of an [`Endpoint`](crate::Endpoint).
    #[error("{url:?} is neither ws://HOST:PORT, wss://HOST:PORT nor unix:///PATH")]
    InvalidUrl {
        /// What was given.
        url: String,
    },
    /// The token has characters that do not fit into a header.
    #[error("the token has a space, a line break or another character that does not fit into a header")]
    InvalidToken,
    /// There is no token in its file, or it cannot be read.
    #[error("the token in {} cannot be read", path.display())]
    TokenFile {
        /// Which file.
        path: PathBuf,
        /// What the operating system said, or what is wrong with what it says.
        #[source]
        source: io::Error,
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
    /// Nobody listens on this Unix socket, or it cannot be reached.
    #[error("failed to connect to {}", path.display())]
    Unix {
        /// The socket's file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// This program was built without TLS: the feature `tls` of this crate.
    #[error("this program cannot speak TLS, which wss:// needs")]
    NoTls,
    /// The certificates to trust cannot be read, or there are none.
    #[error("the certificates to trust cannot be read")]
    // Boxed, because its type is the business of a dependency.
    Certificates(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Whoever listens there does not speak TLS, or cannot show that it is the one that was meant.
    #[error("failed to speak TLS with {address}")]
    Tls {
        /// Host and port.
        address: String,
        /// What TLS said.
        #[source]
        source: io::Error,
    },
    /// The server wants a token, or another one: status 401. Trying again does not help.
    #[error(
        "the server does not accept our token, or the lack of one (status 401){}",
        colon(message)
    )]
    Unauthorized {
        /// What the server said.
        message: String,
    },
    /// The server does not let us in, whatever we show: status 403. Trying again does not help.
    #[error("the server does not let us in (status 403){}", colon(message))]
    Forbidden {
        /// What the server said.
        message: String,
    },
    /// The server does not go by the name in the URL: status 421. Trying again does not help.
    #[error(
        "the server does not go by the name in the URL (status 421){}",
        colon(message)
    )]
    Misdirected {
        /// What the server said.
        message: String,
    },
    /// The server answered with another status than the one that begins a websocket.
    #[error("the server did not begin a websocket (status {status}){}", colon(message))]
    Status {
        /// HTTP's number for it; 503 is a server that has no room.
        status: u16,
        /// What the server said.
        message: String,
    },
    /// Whoever listens there refused to speak websocket with us.
    #[error("the websocket handshake failed")]
    // Boxed, because it is large and its type is the business of a dependency.
    Handshake(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What a peer said, behind what we have to say.
fn colon(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    }
}

impl ConnectError {
    /// Whether trying again cannot help: the server has understood us, and does not want us.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::Unauthorized { .. } | Self::Forbidden { .. } | Self::Misdirected { .. } => true,
            // Of these, some are final as well; but they were no different the first time, which was tried once.
            Self::InvalidUrl { .. }
            | Self::InvalidToken
            | Self::TokenFile { .. }
            | Self::Tcp { .. }
            | Self::Unix { .. }
            | Self::NoTls
            | Self::Certificates(_)
            | Self::Tls { .. }
            | Self::Status { .. }
            | Self::Handshake(_) => false,
        }
    }
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
