//! A server on the network: one message per text frame.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, WebSocketConfig};

use super::MAX_MESSAGE_BYTES;
use crate::error::{ConnectError, Disconnected};

/// How long a close frame may take to leave.
///
/// It waits only behind what a peer does not read; one that is slow by a second or two is none we
/// owe a goodbye.
const GOODBYE_PATIENCE: Duration = Duration::from_secs(2);

/// A close frame that says nothing.
const NO_STATUS: CloseFrame = CloseFrame {
    code: CloseCode::Status,
    reason: Utf8Bytes::from_static(""),
};

type Socket = WebSocketStream<TcpStream>;

#[derive(Debug)]
pub(super) struct Sender(SplitSink<Socket, Message>);

#[derive(Debug)]
pub(super) struct Receiver {
    frames: SplitStream<Socket>,
    close_frame: Option<CloseFrame>,
}

pub(super) async fn connect(url: &str) -> Result<(Sender, Receiver), ConnectError> {
    let address = address(url).ok_or_else(|| ConnectError::InvalidUrl { url: url.into() })?;
    let tcp_error = |source| ConnectError::Tcp {
        address: address.into(),
        source,
    };
    let stream = TcpStream::connect(address).await.map_err(tcp_error)?;
    // Most messages are small and each is waited for.
    stream.set_nodelay(true).map_err(tcp_error)?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    let (socket, _response) = tokio_tungstenite::client_async_with_config(url, stream, Some(config))
        .await
        .map_err(|error| ConnectError::Handshake(error.into()))?;
    let (sink, frames) = socket.split();
    Ok((
        Sender(sink),
        Receiver {
            frames,
            close_frame: None,
        },
    ))
}

/// Host and port.
fn address(url: &str) -> Option<&str> {
    let address = url.strip_prefix("ws://")?.split(['/', '?']).next()?;
    let (host, port) = address.rsplit_once(':')?;
    (!host.is_empty() && port.parse::<u16>().is_ok()).then_some(address)
}

impl Sender {
    pub(super) async fn send(&mut self, message: Bytes) -> Result<(), Disconnected> {
        let frame = Utf8Bytes::try_from(message.clone()).map_or(Message::Binary(message), Message::Text);
        self.0.send(frame).await.map_err(|_| Disconnected)
    }

    pub(super) async fn close(mut self) {
        // The peer may have hung up first, or not read any more: either is as good as a goodbye.
        let _ = timeout(GOODBYE_PATIENCE, self.0.close()).await;
    }
}

impl Receiver {
    pub(super) async fn receive(&mut self) -> Option<Bytes> {
        while self.close_frame.is_none() {
            match self.frames.next().await? {
                Ok(Message::Text(text)) => return Some(text.into()),
                Ok(Message::Binary(bytes)) => return Some(bytes),
                // Nothing follows. The peer hangs up when it has our reply, or in its own time.
                Ok(Message::Close(frame)) => {
                    self.close_frame = Some(frame.unwrap_or(NO_STATUS));
                    self.reply_to_close();
                }
                // The stream itself answers pings.
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Err(error) => {
                    tracing::debug!(%error, "the websocket broke");
                    return None;
                }
            }
        }
        None
    }

    /// The stream has prepared the reply; looking for the next frame sends it.
    fn reply_to_close(&mut self) {
        // If it cannot be sent at once, the peer has to do without.
        let _ = self.frames.next().now_or_never();
    }

    pub(super) fn close_frame(&self) -> Option<&CloseFrame> {
        self.close_frame.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for (url, expected) in [
            ("ws://127.0.0.1:80", Some("127.0.0.1:80")),
            ("ws://[::1]:80/path?query", Some("[::1]:80")),
            ("ws://host:80?query", Some("host:80")),
            ("ws://host", None),
            ("ws://:80", None),
            ("wss://host:80", None),
            ("host:80", None),
        ] {
            assert_eq!(address(url), expected, "{url}");
        }
    }
}
