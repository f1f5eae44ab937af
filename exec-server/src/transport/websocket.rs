//! One message per frame over a websocket.

mod alarm;
mod control;
mod fragments;
mod guarded;
mod sink;
mod source;

use std::io;

use futures_util::StreamExt as _;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use guarded::GuardedWire;
use sink::FrameSink;
use source::FrameSource;

use super::http::Upgraded;
use super::listener::Accepted;
use super::newcomers::Newcomer;
use super::shared::SharedStream;
use super::wire::Wire;
use super::{Connection, http};
use crate::limits::{GOODBYE, MAX_MESSAGE_BYTES, WRITE_BATCH_BYTES};
use crate::server::Server;

/// How much is read from the socket at a time, in bytes. Each connection holds such a buffer.
const READ_BYTES: usize = 16 << 10;

/// What the library holds for a peer that does not read, in bytes: one message of any length, and answers to pings beside
/// it.
const MAX_UNWRITTEN_BYTES: usize = MAX_MESSAGE_BYTES + 2 * WRITE_BATCH_BYTES;

/// Speaks TLS if that is asked for, and answers the HTTP request; a connection if that was a websocket handshake.
///
/// # Errors
///
/// When the peer hangs up or does not speak TLS.
pub(super) async fn accept(
    server: &Server,
    accepted: Accepted,
    newcomer: Newcomer,
) -> io::Result<Option<Connection>> {
    let Accepted {
        socket,
        bound,
        source,
        tls,
    } = accepted;
    socket.set_options()?;
    let socket = SharedStream::new(socket);
    let mut wire = match tls {
        None => Wire::Plain(socket.clone()),
        Some(tls) => Wire::Tls(Box::new(tls.acceptor().accept(socket.clone()).await?)),
    };
    let upgraded = http::upgrade(server, &mut wire, bound, source).await?;
    let Some(Upgraded {
        identity,
        received,
        permit,
    }) = upgraded
    else {
        // What the peer still sends would have the answer taken back.
        let _ = timeout(GOODBYE, socket.drain(&mut [0; 512])).await;
        return Ok(None);
    };
    if !newcomer.leave() {
        return Ok(None);
    }
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BYTES)
        .write_buffer_size(WRITE_BATCH_BYTES)
        .max_write_buffer_size(MAX_UNWRITTEN_BYTES)
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    let wire = GuardedWire::new(wire, &received);
    let websocket =
        WebSocketStream::from_partially_read(wire.clone(), received.into(), Role::Server, Some(config)).await;
    let (sink, frames) = websocket.split();
    let source = FrameSource::new(frames, socket.clone(), server.config(), permit);
    let sink = FrameSink::new(sink, wire, socket, server.config());
    Ok(Some(Connection {
        identity,
        initialize_by: Some(newcomer.until()),
        ..Connection::new(source, sink)
    }))
}
