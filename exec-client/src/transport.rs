//! One connection that carries whole messages, whatever the wire.

mod dial;
mod stdio;
#[cfg(feature = "tls")]
mod tls;
mod websocket;

use std::io;
use std::process::ExitStatus;

use bytes::Bytes;
use tokio::process::Command;
use tokio::sync::mpsc;

use crate::endpoint::Endpoint;
use crate::error::{ConnectError, Disconnected};

/// Longest message that is read, in bytes.
///
/// The contract's limit for both directions, which no reply of a server exceeds.
pub const MAX_MESSAGE_BYTES: usize = 32 << 20;

/// One connection that carries whole messages, whatever the wire.
#[derive(Debug)]
pub struct Transport {
    sender: MessageSender,
    receiver: MessageReceiver,
}

/// The half that sends. Dropping it ends a stdio or memory connection, for the peer to notice.
#[derive(Debug)]
pub struct MessageSender(Sending);

/// The half that receives.
#[derive(Debug)]
pub struct MessageReceiver(Receiving);

#[derive(Debug)]
enum Sending {
    Memory(mpsc::Sender<Bytes>),
    Stdio(stdio::Sender),
    Websocket(websocket::Sender),
}

#[derive(Debug)]
enum Receiving {
    Memory(mpsc::Receiver<Bytes>),
    Stdio(stdio::Receiver),
    Websocket(websocket::Receiver),
}

impl Transport {
    /// A connection within this program.
    pub fn memory(outgoing: mpsc::Sender<Bytes>, incoming: mpsc::Receiver<Bytes>) -> Self {
        Self {
            sender: MessageSender(Sending::Memory(outgoing)),
            receiver: MessageReceiver(Receiving::Memory(incoming)),
        }
    }

    /// Starts a server as a child and speaks with it over its stdin and stdout, a message per line.
    ///
    /// Its stderr is ours. [`MessageSender::close`] waits for it; without that it gets the end of
    /// file only, which a server takes as its sign to leave. Must be called within a runtime.
    ///
    /// # Errors
    ///
    /// What the operating system says if the command cannot be started.
    pub fn stdio(command: Command) -> io::Result<Self> {
        let (sender, receiver) = stdio::start(command)?;
        Ok(Self {
            sender: MessageSender(Sending::Stdio(sender)),
            receiver: MessageReceiver(Receiving::Stdio(receiver)),
        })
    }

    /// Connects to a server at this URL: [`connect`](Self::connect) without anything to show.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect), and if the URL is not that of an [`Endpoint`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a half-made connection is dropped.
    pub async fn websocket(url: &str) -> Result<Self, ConnectError> {
        Self::connect(&url.parse()?).await
    }

    /// Connects to a server, a message per text frame, with `TCP_NODELAY`.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] if nobody speaks websocket there, or does not with us.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a half-made connection is dropped.
    pub async fn connect(endpoint: &Endpoint) -> Result<Self, ConnectError> {
        let (sender, receiver) = websocket::connect(endpoint).await?;
        Ok(Self {
            sender: MessageSender(Sending::Websocket(sender)),
            receiver: MessageReceiver(Receiving::Websocket(receiver)),
        })
    }

    /// The two halves, which do not wait for each other.
    pub fn split(self) -> (MessageSender, MessageReceiver) {
        (self.sender, self.receiver)
    }
}

impl MessageSender {
    /// Sends one message, as it is.
    ///
    /// On stdio a newline is added. On a websocket, bytes that are not UTF-8 go as a binary frame,
    /// because a text frame cannot carry them.
    ///
    /// # Errors
    ///
    /// [`Disconnected`] if the peer has hung up.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: part of the message may have been sent, and what is sent next would end up
    /// behind that part.
    pub async fn send(&mut self, message: Bytes) -> Result<(), Disconnected> {
        match &mut self.0 {
            Sending::Memory(outgoing) => outgoing.send(message).await.map_err(|_| Disconnected),
            Sending::Stdio(sender) => sender.send(&message).await.map_err(|_| Disconnected),
            Sending::Websocket(sender) => sender.send(message).await,
        }
    }

    /// Says goodbye: an end of file, and on a websocket a close frame.
    ///
    /// On stdio it then waits for the server to leave, for at most 10 s, after which it is killed.
    /// The status is that of a server that left on its own; None on every other wire. Keep
    /// receiving meanwhile: a server that still has something to say does not leave before it is
    /// said.
    ///
    /// # Cancel safety
    ///
    /// Not reversible: once polled, the connection is ended. A server that was not waited for
    /// leaves in its own time.
    pub async fn close(self) -> Option<ExitStatus> {
        match self.0 {
            Sending::Memory(_) => None,
            Sending::Stdio(sender) => sender.close().await,
            Sending::Websocket(sender) => {
                sender.close().await;
                None
            }
        }
    }
}

impl MessageReceiver {
    /// The next message, or None at the end of the connection and ever after.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is lost.
    pub async fn receive(&mut self) -> Option<Bytes> {
        match &mut self.0 {
            Receiving::Memory(incoming) => incoming.recv().await,
            Receiving::Stdio(receiver) => receiver.receive().await,
            Receiving::Websocket(receiver) => receiver.receive().await,
        }
    }

    /// The code of the close frame that ended a websocket, once it has come.
    pub fn close_code(&self) -> Option<u16> {
        match &self.0 {
            Receiving::Memory(_) | Receiving::Stdio(_) => None,
            Receiving::Websocket(receiver) => receiver.close_frame().map(|frame| frame.code.into()),
        }
    }

    /// The reason in the close frame that ended a websocket, once it has come.
    pub fn close_reason(&self) -> Option<String> {
        match &self.0 {
            Receiving::Memory(_) | Receiving::Stdio(_) => None,
            Receiving::Websocket(receiver) => receiver.close_frame().map(|frame| frame.reason.to_string()),
        }
    }
}
