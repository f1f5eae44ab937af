//! The frames that go out.

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::SinkExt as _;
use futures_util::stream::SplitSink;
use tokio::io::AsyncWriteExt as _;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::alarm::Alarm;
use super::guarded::GuardedWire;
use crate::config::Config;
use crate::transport::shared::SharedStream;
use crate::transport::{Batch, CloseReason, MessageSink};

/// The close code for a session that a newer connection took over. From the range that is left to
/// applications, so that a client can tell it from a broken connection and does not take it back.
const TAKEN_OVER: u16 = 4001;

/// The close code for a peer of which nothing was heard. Should it be there after all, it may come back.
const SILENT: u16 = 4002;

/// The frames that go out, and when it is time for a ping.
pub(super) struct FrameSink {
    frames: PingedFrames,
    /// What the frames go over.
    wire: GuardedWire,
    ping: Alarm,
    silent_peer: Duration,
    silence: Alarm,
}

/// Frames with pings between them.
struct PingedFrames {
    frames: SplitSink<WebSocketStream<GuardedWire>, Message>,
    socket: SharedStream,
    ping_after: Duration,
    pinged_at: Instant,
}

impl FrameSink {
    pub(super) fn new(
        frames: SplitSink<WebSocketStream<GuardedWire>, Message>,
        wire: GuardedWire,
        socket: SharedStream,
        config: &Config,
    ) -> Self {
        Self {
            frames: PingedFrames {
                frames,
                socket,
                ping_after: config.ping_after,
                pinged_at: Instant::now(),
            },
            wire,
            ping: Alarm::new(),
            silent_peer: config.silent_peer,
            silence: Alarm::new(),
        }
    }
}

impl PingedFrames {
    /// When the peer is to be pinged if it is not heard before. None is never.
    fn ping_due(&self) -> Option<Instant> {
        let heard_or_pinged = self.socket.heard_at().max(self.pinged_at);
        heard_or_pinged.checked_add(self.ping_after)
    }

    /// Pings the peer if it is time to. The ping goes out with the next flush.
    async fn feed_ping(&mut self, now: Instant) -> Result<(), Error> {
        if self.ping_due().is_some_and(|due| due <= now) {
            self.frames.feed(Message::Ping(Bytes::new())).await?;
            self.pinged_at = now;
        }
        Ok(())
    }

    async fn write(&mut self, batch: &mut Batch, now: Instant) -> Result<(), Error> {
        // In the middle of a flood as well: who only reads has nothing to say but its pongs.
        self.feed_ping(now).await?;
        for message in batch.lend() {
            // We wrote it, so it need not be looked through for what is not UTF-8.
            let frame = Frame::message(message, OpCode::Data(Data::Text), true);
            self.frames.feed(Message::Frame(frame)).await?;
        }
        self.frames.flush().await
    }

    async fn ping(&mut self) -> Result<(), Error> {
        self.feed_ping(Instant::now()).await?;
        self.frames.flush().await
    }
}

#[async_trait]
impl MessageSink for FrameSink {
    /// Fails also when the peer takes nothing and was not heard for too long: while reading pauses, nobody else notices.
    async fn send(&mut self, batch: &mut Batch) -> io::Result<()> {
        let now = Instant::now();
        let socket = self.frames.socket.clone();
        // What came while reading paused was not heard, so the time counts from here at the earliest.
        let is_gone = || socket.heard_at().max(now).checked_add(self.silent_peer);
        tokio::select! {
            biased;
            written = self.frames.write(batch, now) => written.map_err(io::Error::other),
            () = self.silence.rings(is_gone) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    async fn idle(&mut self) -> io::Error {
        loop {
            self.ping.rings(|| self.frames.ping_due()).await;
            if let Err(error) = self.frames.ping().await {
                return io::Error::other(error);
            }
        }
    }

    async fn close(&mut self, reason: CloseReason) {
        let code = match reason {
            CloseReason::Done => CloseCode::Normal,
            CloseReason::ShuttingDown => CloseCode::Away,
            CloseReason::TakenOver => CloseCode::from(TAKEN_OVER),
            CloseReason::Silent => CloseCode::from(SILENT),
            CloseReason::NotInitialized | CloseReason::ControlFlood | CloseReason::SmallFragments => {
                CloseCode::Policy
            }
            CloseReason::TooLong => CloseCode::Size,
            CloseReason::NotUtf8 => CloseCode::Invalid,
            CloseReason::Malformed => CloseCode::Protocol,
        };
        let frame = CloseFrame {
            code,
            reason: reason.as_str().into(),
        };
        // A peer that said goodbye first has its answer queued, which then only has to go out.
        let _ = self.frames.frames.send(Message::Close(Some(frame))).await;
        if let Err(error) = self.frames.frames.flush().await {
            tracing::debug!(%error, "no goodbye");
            return;
        }
        // TLS has a goodbye of its own: without it, an end could be somebody's who cut the connection in between.
        if let Err(error) = self.wire.shutdown().await {
            tracing::debug!(%error, "the wire broke behind the goodbye");
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpStream;
    use tokio::time::advance;
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::*;
    use crate::transport::shared::tests::pair;
    use crate::transport::wire::Wire;

    const PING: [u8; 2] = [0x89, 0];
    const MESSAGE: [u8; 3] = [0x81, 1, b'7'];

    /// With the source, without which nothing can be flushed.
    async fn sink() -> (FrameSink, impl Sized, TcpStream) {
        let (socket, peer) = pair().await;
        let wire = GuardedWire::new(Wire::Plain(socket.clone()), b"");
        let websocket = WebSocketStream::from_raw_socket(wire.clone(), Role::Server, None).await;
        let (frames, source) = websocket.split();
        (
            FrameSink::new(frames, wire, socket, &Config::default()),
            source,
            peer,
        )
    }

    async fn send(sink: &mut FrameSink) {
        let mut batch = Batch::default();
        batch.push(|out| out.push(b'7'));
        sink.send(&mut batch).await.unwrap();
    }

    async fn takes(peer: &mut TcpStream, expected: &[u8]) {
        let mut taken = vec![0; expected.len()];
        peer.read_exact(&mut taken).await.unwrap();
        assert_eq!(taken, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn a_ping_that_is_due_goes_out_before_the_messages_and_once() {
        let (mut sink, _source, mut peer) = sink().await;
        send(&mut sink).await;
        takes(&mut peer, &MESSAGE).await;
        for _ in 0..2 {
            advance(Config::default().ping_after).await;
            send(&mut sink).await;
            takes(&mut peer, &PING).await;
            takes(&mut peer, &MESSAGE).await;
            send(&mut sink).await;
            takes(&mut peer, &MESSAGE).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn pings_go_out_while_there_is_nothing_to_write() {
        let (mut sink, _source, mut peer) = sink().await;
        let began = Instant::now();
        let pings = async {
            for _ in 0..3 {
                takes(&mut peer, &PING).await;
            }
        };
        tokio::select! {
            error = sink.idle() => panic!("{error}"),
            () = pings => {}
        }
        assert!(began.elapsed() >= 3 * Config::default().ping_after);
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_and_says_nothing_is_given_up() {
        let (mut sink, _source, _peer) = sink().await;
        let error = loop {
            let mut batch = Batch::default();
            batch.push(|out| out.resize(1 << 20, b'7'));
            if let Err(error) = sink.send(&mut batch).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
