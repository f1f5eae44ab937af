//! A connection on which each byte is ours, read and written at the same time.

use std::io;

use bytes::{Buf as _, BytesMut};
use exec_tests::wait::within_patience;
use exec_tests::websocket::{Opcode, Part, address, frame};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::{ChildStdin, ChildStdout};

/// The request for a websocket. The key is the one of RFC 6455.
const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Room for each read, in bytes.
const READ_BYTES: usize = 64 << 10;

/// A connection on which each byte is ours.
#[derive(Debug)]
pub(super) struct Line {
    ends: Ends,
    /// What came, and was not looked at.
    received: BytesMut,
    /// What is to be sent.
    unsent: BytesMut,
}

#[derive(Debug)]
enum Ends {
    Websocket(OwnedReadHalf, OwnedWriteHalf),
    Stdio(ChildStdout, ChildStdin),
}

/// What comes on a line.
#[derive(Debug)]
pub(super) enum Incoming {
    /// A message.
    Message(Value),
    /// The server is about to hang up, for the reason with this number.
    Closing(u16),
    /// There is nothing more.
    End,
}

impl Line {
    /// A websocket of the server at this URL.
    pub(super) async fn websocket(url: &str) -> Self {
        let connected = within_patience("a connection", TcpStream::connect(address(url))).await;
        let (from, to) = connected.expect("the server listens").into_split();
        let mut this = Self {
            ends: Ends::Websocket(from, to),
            received: BytesMut::new(),
            unsent: BytesMut::from(UPGRADE),
        };
        let head = within_patience("the websocket", async {
            loop {
                assert!(this.step().await.expect("the server talks"), "the server hung up");
                if let Some(at) = this.received.windows(4).position(|end| end == b"\r\n\r\n") {
                    break this.received.split_to(at + 4);
                }
            }
        });
        let head = head.await;
        assert!(head.starts_with(b"HTTP/1.1 101 "), "no websocket: {head:?}");
        this
    }

    /// The pipes of a server that is our child.
    pub(super) fn stdio(from: ChildStdout, to: ChildStdin) -> Self {
        Self {
            ends: Ends::Stdio(from, to),
            received: BytesMut::new(),
            unsent: BytesMut::new(),
        }
    }

    /// Puts a message, or what should be one, behind what is to be sent.
    pub(super) fn send(&mut self, text: &[u8]) {
        let message = self.message(text);
        self.send_bytes(&message);
    }

    /// The bytes of a message.
    pub(super) fn message(&self, text: &[u8]) -> Vec<u8> {
        match self.ends {
            Ends::Websocket(..) => frame(Opcode::Text, Part::Last, text),
            Ends::Stdio(..) => [text, b"\n"].concat(),
        }
    }

    /// Puts bytes behind what is to be sent.
    pub(super) fn send_bytes(&mut self, bytes: &[u8]) {
        self.unsent.extend_from_slice(bytes);
    }

    /// What comes next. What is to be sent goes out meanwhile.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn next(&mut self) -> Incoming {
        loop {
            if let Some(incoming) = self.take() {
                return incoming;
            }
            // An end that is rude is an end as well.
            if !self.step().await.unwrap_or(false) {
                return Incoming::End;
            }
        }
    }

    /// Sends without reading, for as long as it is polled.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn send_only(&mut self) {
        while !self.unsent.is_empty() {
            let sent = match &mut self.ends {
                Ends::Websocket(_, to) => to.write(&self.unsent).await,
                Ends::Stdio(_, to) => to.write(&self.unsent).await,
            };
            // That the other end is gone is found out by whoever reads next.
            let Ok(sent) = sent else { break };
            self.unsent.advance(sent);
        }
    }

    /// Breaks the connection as a network does, and drops what was to be sent.
    pub(super) fn cut(self) {
        match self.ends {
            Ends::Websocket(from, to) => {
                from.as_ref().set_zero_linger().expect("it is a socket");
                // Else it would say goodbye.
                to.forget();
            }
            Ends::Stdio(..) => panic!("stdio cannot be taken up again"),
        }
    }

    /// Ends what we send, and reads to the end what is sent to us.
    pub(super) async fn finish(mut self) {
        self.send_only().await;
        match self.ends {
            Ends::Websocket(mut from, to) => {
                drop(to);
                drain(&mut from).await;
            }
            Ends::Stdio(mut from, to) => {
                drop(to);
                drain(&mut from).await;
            }
        }
    }

    /// A message that is there as a whole.
    fn take(&mut self) -> Option<Incoming> {
        match self.ends {
            Ends::Websocket(..) => self.take_frame(),
            Ends::Stdio(..) => {
                let end = self.received.iter().position(|byte| *byte == b'\n')?;
                Some(message(&self.received.split_to(end + 1)))
            }
        }
    }

    fn take_frame(&mut self) -> Option<Incoming> {
        loop {
            let [first, second, ..] = self.received[..] else {
                return None;
            };
            let (head, length) = match second {
                126 => (
                    4,
                    u64::from(u16::from_be_bytes(self.received.get(2..4)?.try_into().ok()?)),
                ),
                127 => (10, u64::from_be_bytes(self.received.get(2..10)?.try_into().ok()?)),
                short => (2, u64::from(short)),
            };
            let length = usize::try_from(length).expect("it fits into memory");
            if self.received.len() < head + length {
                return None;
            }
            self.received.advance(head);
            let payload = self.received.split_to(length);
            match first {
                0x81 => return Some(message(&payload)),
                0x88 => return Some(Incoming::Closing(u16::from_be_bytes([payload[0], payload[1]]))),
                0x89 => self.send_bytes(&frame(Opcode::Pong, Part::Last, &payload)),
                0x8a => {}
                other => panic!("a frame that begins with {other:#x}"),
            }
        }
    }

    /// Reads or writes a piece, whichever is possible first. False at the end.
    async fn step(&mut self) -> io::Result<bool> {
        let Self {
            ends,
            received,
            unsent,
        } = self;
        match ends {
            Ends::Websocket(from, to) => exchange(from, to, received, unsent).await,
            Ends::Stdio(from, to) => exchange(from, to, received, unsent).await,
        }
    }
}

async fn exchange(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    received: &mut BytesMut,
    unsent: &mut BytesMut,
) -> io::Result<bool> {
    received.reserve(READ_BYTES);
    tokio::select! {
        read = from.read_buf(received) => Ok(read? > 0),
        // What cannot be sent does not hide what came before the end.
        Ok(sent) = to.write(unsent), if !unsent.is_empty() => {
            unsent.advance(sent);
            Ok(true)
        }
    }
}

async fn drain(from: &mut (impl AsyncRead + Unpin)) {
    let mut rest = Vec::new();
    // How it ends does not matter: a reset is an end as well.
    let _ = within_patience("the end of the connection", from.read_to_end(&mut rest)).await;
}

fn message(bytes: &[u8]) -> Incoming {
    let message = serde_json::from_slice(bytes);
    Incoming::Message(message.unwrap_or_else(|error| panic!("{error} in {} bytes", bytes.len())))
}
