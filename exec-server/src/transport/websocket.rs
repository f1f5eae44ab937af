//! One message per frame over a websocket.

mod shared;

use std::io;

use async_trait::async_trait;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use shared::SharedStream;

use super::{Batch, CloseReason, Connection, MessageSink, MessageSource, Received, http};
use crate::limits::{MAX_MESSAGE_BYTES, WRITE_BATCH_BYTES};

/// How much is read from the socket at a time, in bytes. Each connection holds such a buffer.
const READ_BYTES: usize = 16 << 10;

/// What the system holds for a peer that does not keep up, in bytes.
///
/// An answer waits for it, and a connection that is cut loses it. More did not make anything faster.
const SEND_BUFFER_BYTES: usize = 256 << 10;

/// What the system holds and has not begun to send, in bytes, before it takes no more.
#[cfg(target_os = "linux")]
const NOT_SENT_BYTES: u32 = 128 << 10;

/// What the library holds for a peer that does not read, in bytes: one message of any length, and answers to pings beside
/// it, of which there is no other end.
const MAX_UNWRITTEN_BYTES: usize = MAX_MESSAGE_BYTES + 2 * WRITE_BATCH_BYTES;

/// The close code for a session that a newer connection took over. From the range that is left to
/// applications, so that a client can tell it from a broken connection and does not take it back.
const TAKEN_OVER: u16 = 4001;

/// Answers the HTTP request on `stream`; a connection if that was a websocket handshake.
///
/// Without room every handshake is answered 503.
///
/// # Errors
///
/// When the peer hangs up or takes too long.
pub(crate) async fn accept(mut stream: TcpStream, has_room: bool) -> io::Result<Option<Connection>> {
    set_options(&stream)?;
    let Some(received) = http::upgrade(&mut stream, has_room).await? else {
        return Ok(None);
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BYTES)
        .write_buffer_size(WRITE_BATCH_BYTES)
        .max_write_buffer_size(MAX_UNWRITTEN_BYTES)
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    let socket = SharedStream::new(stream);
    let frames = socket.clone();
    let websocket =
        WebSocketStream::from_partially_read(frames, received.into(), Role::Server, Some(config)).await;
    let (sink, frames) = websocket.split();
    Ok(Some(Connection::new(Frames { frames, socket }, FrameSink(sink))))
}

/// Makes the socket fit for keystrokes, and for answers in the middle of a flood.
fn set_options(stream: &TcpStream) -> io::Result<()> {
    // A keystroke's echo is a small packet that must not wait for another.
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_notsent_lowat(NOT_SENT_BYTES)?;
    Ok(())
}

struct Frames {
    frames: SplitStream<WebSocketStream<SharedStream>>,
    socket: SharedStream,
}

#[async_trait]
impl MessageSource for Frames {
    async fn next(&mut self) -> Received {
        loop {
            match self.frames.next().await {
                Some(Ok(Message::Text(text))) => return Received::Message(text.into()),
                Some(Ok(Message::Binary(bytes))) => return Received::Message(bytes),
                // Pongs are sent by the library; they go out with the next flush.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_))) | None => return Received::Gone(CloseReason::Done),
                Some(Err(error)) => return Received::Gone(reason(&error)),
            }
        }
    }

    async fn drain(&mut self) {
        self.socket.drain(&mut vec![0; READ_BYTES]).await;
    }
}

fn reason(error: &Error) -> CloseReason {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => CloseReason::TooLong,
        Error::Utf8(_) => CloseReason::NotUtf8,
        error => {
            tracing::debug!(%error, "the websocket broke");
            CloseReason::Done
        }
    }
}

struct FrameSink(SplitSink<WebSocketStream<SharedStream>, Message>);

#[async_trait]
impl MessageSink for FrameSink {
    async fn send(&mut self, batch: &mut Batch) -> io::Result<()> {
        for message in batch.lend() {
            // We wrote it, so it need not be looked through for what is not UTF-8.
            let frame = Frame::message(message, OpCode::Data(Data::Text), true);
            self.0
                .feed(Message::Frame(frame))
                .await
                .map_err(io::Error::other)?;
        }
        self.0.flush().await.map_err(io::Error::other)
    }

    async fn close(&mut self, reason: CloseReason) {
        let code = match reason {
            CloseReason::Done => CloseCode::Normal,
            CloseReason::ShuttingDown => CloseCode::Away,
            CloseReason::TakenOver => CloseCode::from(TAKEN_OVER),
            CloseReason::TooLong => CloseCode::Size,
            CloseReason::NotUtf8 => CloseCode::Invalid,
        };
        let frame = CloseFrame {
            code,
            reason: reason.as_str().into(),
        };
        // A peer that said goodbye first has its answer queued, which then only has to go out.
        let _ = self.0.send(Message::Close(Some(frame))).await;
        if let Err(error) = self.0.flush().await {
            tracing::debug!(%error, "no goodbye");
        }
    }
}
