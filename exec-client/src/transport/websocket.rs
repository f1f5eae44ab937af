//! A server on the network: one message per text frame.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Utf8Bytes};

use super::MAX_MESSAGE_BYTES;
use super::dial::{Wire, dial};
use crate::endpoint::Endpoint;
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

/// Longest refusal that is told, in characters. A server has a sentence to say.
const MAX_TOLD_CHARS: usize = 300;

type Socket = WebSocketStream<Box<dyn Wire>>;

#[derive(Debug)]
pub(super) struct Sender(SplitSink<Socket, Message>);

#[derive(Debug)]
pub(super) struct Receiver {
    frames: SplitStream<Socket>,
    close_frame: Option<CloseFrame>,
}

pub(super) async fn connect(endpoint: &Endpoint) -> Result<(Sender, Receiver), ConnectError> {
    let request = request(endpoint).await?;
    let stream = dial(endpoint).await?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    let (socket, _response) = tokio_tungstenite::client_async_with_config(request, stream, Some(config))
        .await
        .map_err(refusal)?;
    let (sink, frames) = socket.split();
    Ok((
        Sender(sink),
        Receiver {
            frames,
            close_frame: None,
        },
    ))
}

/// The request that begins a websocket, with what it is to show.
async fn request(endpoint: &Endpoint) -> Result<Request, ConnectError> {
    let mut request = endpoint
        .url()
        .into_client_request()
        .map_err(|error| ConnectError::Handshake(error.into()))?;
    if let Some(value) = endpoint.authorization().await? {
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    Ok(request)
}

/// What the server said instead of beginning a websocket.
fn refusal(error: Error) -> ConnectError {
    let Error::Http(response) = error else {
        return ConnectError::Handshake(error.into());
    };
    let message = told(response.body().as_deref().unwrap_or_default());
    match response.status() {
        StatusCode::UNAUTHORIZED => ConnectError::Unauthorized { message },
        StatusCode::FORBIDDEN => ConnectError::Forbidden { message },
        StatusCode::MISDIRECTED_REQUEST => ConnectError::Misdirected { message },
        status => ConnectError::Status {
            status: status.as_u16(),
            message,
        },
    }
}

/// The first line of an answer, for people. It may be from anybody, so nothing is kept that could command a terminal.
fn told(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().next().unwrap_or_default();
    line.chars()
        .filter(|char| char.is_ascii_graphic() || *char == ' ')
        .take(MAX_TOLD_CHARS)
        .collect()
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
    fn what_a_peer_said_fits_into_a_line() {
        assert_eq!(told(b""), "");
        assert_eq!(told(b"the token has expired\r\nmore"), "the token has expired");
        assert_eq!(told("\x1b[31mred\u{202e}\x07".as_bytes()), "[31mred");
        assert_eq!(told(&[b'x'; 10_000]).len(), MAX_TOLD_CHARS);
    }
}
