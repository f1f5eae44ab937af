//! Where messages come from and go to. Above this, nobody knows by which wire.

mod http;
mod listen;
mod listener;
mod memory;
mod newcomers;
mod shared;
mod socket;
mod stdio;
mod tls;
mod websocket;
mod wire;

use std::io;

use async_trait::async_trait;
use bytes::Bytes;
use exec_protocol::{ErrorKind, RpcError};
use tokio::time::Instant;

use crate::access::Identity;
use crate::limits::MAX_MESSAGE_BYTES;
pub use crate::rpc::Batch;
#[cfg(any(fuzzing, test))]
pub(crate) use http::answer_to;
pub(crate) use listen::listen;
pub use listener::{ListenError, Listener, Reachable};
pub use memory::MemoryPeer;
pub(crate) use newcomers::Newcomers;
pub(crate) use stdio::stdio;
pub use tls::{Tls, TlsError};

/// Both directions of a conversation with one peer.
pub struct Connection {
    pub(crate) source: Box<dyn MessageSource>,
    pub(crate) sink: Box<dyn MessageSink>,
    /// Who the peer is.
    pub(crate) identity: Identity,
    /// When its session has to be open. None: at any time.
    pub(crate) initialize_by: Option<Instant>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Connection {
    /// A connection over any wire that can carry whole messages.
    pub fn new(source: impl MessageSource + 'static, sink: impl MessageSink + 'static) -> Self {
        Self {
            source: Box::new(source),
            sink: Box::new(sink),
            identity: Identity::Local,
            initialize_by: None,
        }
    }
}

/// What a connection took in.
#[derive(Debug)]
pub enum Received {
    /// A message.
    Message(Bytes),
    /// Something that was no message and cost only itself; the peer is to be told.
    Refused(RpcError),
    /// The peer has said all it will ever say, and still listens.
    Finished,
    /// The peer is gone, or must be hung up on, with the reason to give.
    Gone(CloseReason),
}

impl Received {
    /// A message that was longer than the limit, on a wire that has a way to skip it.
    fn too_long() -> Self {
        let message = format!("a message is longer than {MAX_MESSAGE_BYTES} bytes");
        Self::Refused(RpcError::new(ErrorKind::MessageTooLarge, message))
    }
}

/// Why a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The conversation is over.
    Done,
    /// The server leaves.
    ShuttingDown,
    /// A newer connection took the session over.
    TakenOver,
    /// A message was longer than the limit, and the wire has no way to skip it.
    TooLong,
    /// Nothing came from the peer for too long: it is gone, or cannot be told from one that is.
    Silent,
    /// The peer did not say in time whose the connection is.
    NotInitialized,
    /// A message was not UTF-8, and the wire has no way to go on.
    NotUtf8,
    /// What came was nothing that the wire knows, and it has no way to go on.
    Malformed,
    /// The peer sent more pings and pongs than anybody needs.
    ControlFlood,
    /// A message came in pieces that were hardly more than their own heads.
    SmallFragments,
}

impl CloseReason {
    /// The reason, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::ShuttingDown => "the server is shutting down",
            Self::TakenOver => "the session was taken over by a newer connection",
            Self::TooLong => "a message is longer than the limit",
            Self::Silent => "nothing was heard from the peer",
            Self::NotInitialized => "`initialize` did not come in time",
            Self::NotUtf8 => "a message is not UTF-8",
            Self::Malformed => "a frame is not one that a client may send",
            Self::ControlFlood => "too many pings and pongs",
            Self::SmallFragments => "the fragments of a message are too small",
        }
    }
}

/// The side of a connection that is read.
#[async_trait]
pub trait MessageSource: Send {
    /// Waits for the next message. Not called again after `Finished` or `Gone`.
    ///
    /// # Cancel safety
    ///
    /// Must be cancel safe: the dispatch loop drops the future whenever it has something else to do.
    async fn next(&mut self) -> Received;

    /// Takes in and drops what the peer still sends, until it hangs up: the peer has been told
    /// goodbye, and on some wires it would not hear of it otherwise. The last call.
    ///
    /// # Cancel safety
    ///
    /// Must be cancel safe: it is bounded in time by dropping it.
    async fn drain(&mut self) {}
}

/// The side of a connection that is written.
#[async_trait]
pub trait MessageSink: Send {
    /// Writes all messages of the batch and flushes.
    ///
    /// # Errors
    ///
    /// When the peer cannot be reached any more. The sink is not used again.
    ///
    /// # Cancel safety
    ///
    /// Need not be cancel safe: a dropped call is followed by nothing.
    async fn send(&mut self, batch: &mut Batch) -> io::Result<()>;

    /// Does what the wire wants done while there is nothing to write, such as looking after the peer. Ends with an error
    /// only: those of [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// Must be cancel safe: it is dropped as soon as there is something to write.
    async fn idle(&mut self) -> io::Error {
        std::future::pending().await
    }

    /// Says goodbye, as far as the wire has a way to.
    async fn close(&mut self, reason: CloseReason);
}
