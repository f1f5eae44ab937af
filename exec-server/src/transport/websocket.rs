//! One message per frame over a websocket.

mod alarm;
mod shared;
mod sink;
mod source;

use std::io;

use futures_util::StreamExt as _;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use shared::SharedStream;
use sink::FrameSink;
use source::FrameSource;

use super::{Connection, http};
use crate::limits::{MAX_MESSAGE_BYTES, WRITE_BATCH_BYTES};
use crate::server::Server;

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
/// it.
const MAX_UNWRITTEN_BYTES: usize = MAX_MESSAGE_BYTES + 2 * WRITE_BATCH_BYTES;

/// Answers the HTTP request on `stream`; a connection if that was a websocket handshake.
///
/// Without room every handshake is answered 503.
///
/// # Errors
///
/// When the peer hangs up or takes too long.
pub(crate) async fn accept(
    server: &Server,
    mut stream: TcpStream,
    has_room: bool,
) -> io::Result<Option<Connection>> {
    set_options(&stream)?;
    let Some(received) = http::upgrade(server, &mut stream, has_room).await? else {
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
    let source = FrameSource::new(frames, socket.clone(), server.config());
    let sink = FrameSink::new(sink, socket, server.config());
    Ok(Some(Connection::new(source, sink)))
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
