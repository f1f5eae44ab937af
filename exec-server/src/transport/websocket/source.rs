//! The frames that come in.

use std::error::Error as StdError;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::SplitStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::READ_BYTES;
use super::alarm::Alarm;
use super::control::{Control, ControlFrames};
use super::guarded::{GuardedWire, SmallFragments};
use crate::config::Config;
use crate::transport::shared::SharedStream;
use crate::transport::{CloseReason, MessageSource, Received};

/// Pings of a peer that does not read their answers, before it is not read either until it does.
///
/// Each answer has at most 127 bytes, so that they fit beside the longest message.
const MAX_UNREAD_PONGS: usize = 512;

/// The frames that come in, and how long there was none.
pub(super) struct FrameSource {
    frames: SplitStream<WebSocketStream<GuardedWire>>,
    socket: SharedStream,
    control: ControlFrames,
    /// Pings that came since something began to wait for the peer to read.
    unread_pongs: usize,
    silent_peer: Duration,
    silence: Alarm,
    /// Room among the connections, as long as this one is there.
    _permit: OwnedSemaphorePermit,
}

impl FrameSource {
    pub(super) fn new(
        frames: SplitStream<WebSocketStream<GuardedWire>>,
        socket: SharedStream,
        config: &Config,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        Self {
            frames,
            socket,
            control: ControlFrames::new(Instant::now()),
            unread_pongs: 0,
            silent_peer: config.silent_peer,
            silence: Alarm::new(),
            _permit: permit,
        }
    }

    /// The next frame. None once nothing was heard for too long, by what has arrived: reading may have paused.
    async fn next_frame(&mut self) -> Option<Option<Result<Message, Error>>> {
        let is_gone = || self.socket.heard_at().checked_add(self.silent_peer);
        let frame = async {
            if self.unread_pongs > MAX_UNREAD_PONGS && self.socket.is_held_up() {
                self.socket.has_room().await;
            }
            self.frames.next().await
        };
        tokio::select! {
            biased;
            frame = frame => Some(frame),
            () = self.silence.rings(is_gone) => None,
        }
    }

    /// Pongs are made by the library and go out with the next flush. It holds each, if the peer does not read.
    fn count_ping(&mut self) {
        if !self.socket.is_held_up() {
            self.unread_pongs = 0;
        }
        self.unread_pongs += 1;
    }
}

#[async_trait]
impl MessageSource for FrameSource {
    async fn next(&mut self) -> Received {
        loop {
            let Some(frame) = self.next_frame().await else {
                return Received::Gone(CloseReason::Silent);
            };
            match frame {
                Some(Ok(Message::Text(text))) => return Received::Message(text.into()),
                Some(Ok(Message::Binary(bytes))) => return Received::Message(bytes),
                Some(Ok(frame @ (Message::Ping(_) | Message::Pong(_)))) => {
                    if self.control.came(Instant::now()) == Control::TooMany {
                        return Received::Gone(CloseReason::ControlFlood);
                    }
                    if frame.is_ping() {
                        self.count_ping();
                    }
                }
                // Frames that make no message by themselves are not handed out.
                Some(Ok(Message::Frame(_))) => {}
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
        Error::Protocol(violation) if *violation != ProtocolError::ResetWithoutClosingHandshake => {
            CloseReason::Malformed
        }
        Error::Io(error)
            if error
                .get_ref()
                .is_some_and(<dyn StdError + Send + Sync>::is::<SmallFragments>) =>
        {
            CloseReason::SmallFragments
        }
        error => {
            tracing::debug!(%error, "the websocket broke");
            CloseReason::Done
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::SinkExt as _;
    use tokio::io::AsyncWriteExt as _;
    use tokio::sync::Semaphore;
    use tokio::time::timeout;
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::*;
    use crate::transport::shared::tests::pair;
    use crate::transport::wire::Wire;

    const PING: [u8; 6] = [0x89, 0x80, 0, 0, 0, 0];

    #[tokio::test(start_paused = true)]
    async fn no_more_pings_are_read_while_their_answers_wait_for_the_peer() {
        let (socket, mut peer) = pair().await;
        let wire = GuardedWire::new(Wire::Plain(socket.clone()), b"");
        let websocket = WebSocketStream::from_raw_socket(wire, Role::Server, None).await;
        let (mut sink, frames) = websocket.split();
        // More than any socket holds.
        let message = Message::Binary(vec![0; 32 << 20].into());
        let sent = timeout(Duration::from_secs(1), sink.send(message)).await;
        assert!(sent.is_err() && socket.is_held_up());
        let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        let mut source = FrameSource::new(frames, socket, &Config::default(), permit);
        peer.write_all(&PING.repeat(MAX_UNREAD_PONGS * 2)).await.unwrap();
        let received = timeout(Duration::from_secs(1), source.next()).await;
        assert!(received.is_err(), "{received:?}");
        assert_eq!(source.unread_pongs, MAX_UNREAD_PONGS + 1);
    }
}
