//! The frames that come in.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::SplitStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::READ_BYTES;
use super::alarm::Alarm;
use super::shared::SharedStream;
use crate::config::Config;
use crate::transport::{CloseReason, MessageSource, Received};

/// Pings of a peer that does not read their answers, before it is not read either until it does.
///
/// Each answer has at most 127 bytes, so that they fit beside the longest message.
const MAX_UNREAD_PONGS: usize = 512;

/// The frames that come in, and how long there was none.
pub(super) struct FrameSource {
    frames: SplitStream<WebSocketStream<SharedStream>>,
    socket: SharedStream,
    /// Pings that came since something began to wait for the peer to read.
    unread_pongs: usize,
    silent_peer: Duration,
    silence: Alarm,
}

impl FrameSource {
    pub(super) fn new(
        frames: SplitStream<WebSocketStream<SharedStream>>,
        socket: SharedStream,
        config: &Config,
    ) -> Self {
        Self {
            frames,
            socket,
            unread_pongs: 0,
            silent_peer: config.silent_peer,
            silence: Alarm::new(),
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
                Some(Ok(Message::Ping(_))) => self.count_ping(),
                Some(Ok(Message::Pong(_) | Message::Frame(_))) => {}
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
        // That the peer is gone without a word is one of these as well; then nobody hears of it.
        Error::Protocol(error) => {
            tracing::debug!(%error, "a bad frame");
            CloseReason::BadFrame
        }
        error => {
            tracing::debug!(%error, "the websocket broke");
            CloseReason::Done
        }
    }
}
