//! A websocket by hand, to send what no library would.

use std::net::SocketAddr;
use std::time::Duration;

use rustix::net::sockopt;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::wait::within_patience;

/// What a frame holds, as the wire numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// More of the message before.
    Continuation = 0,
    /// Text.
    Text = 1,
    /// Bytes.
    Binary = 2,
    /// The end.
    Close = 8,
    /// Are you there?
    Ping = 9,
    /// The answer to that.
    Pong = 10,
}

/// Whether a message goes on behind a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// This frame is the last of its message.
    Last,
    /// Another one follows.
    More,
}

/// The handshake that every server must accept. The key is the one of RFC 6455.
pub const HANDSHAKE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A connection on which each byte is ours.
#[derive(Debug)]
pub struct RawWebsocket {
    stream: TcpStream,
}

impl RawWebsocket {
    /// Connects to a server and asks for a websocket on this path. What is in `behind` goes out
    /// together with the request.
    ///
    /// # Panics
    ///
    /// If the server does not switch to websocket.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the connection is dropped.
    pub async fn connect(url: &str, path: &str, behind: &[u8]) -> Self {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{HANDSHAKE}");
        Self::upgrade(url, &[request.as_bytes(), behind].concat()).await
    }

    /// Connects to a server and asks for a websocket by this request.
    ///
    /// # Panics
    ///
    /// If the server does not switch to websocket.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the connection is dropped.
    pub async fn connect_with(url: &str, request: &str) -> Self {
        Self::upgrade(url, request.as_bytes()).await
    }

    async fn upgrade(url: &str, request: &[u8]) -> Self {
        let stream = TcpStream::connect(address(url))
            .await
            .expect("the server listens");
        let mut this = Self { stream };
        this.send_bytes(request).await;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(
                within_patience("the handshake", this.stream.read_u8())
                    .await
                    .expect("the answer has an end"),
            );
        }
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.starts_with("HTTP/1.1 101 "), "no websocket: {answer}");
        this
    }

    /// The socket, for whoever wants to read and write at the same time.
    pub fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// Lets so much wait here to be read, and no more, in bytes; the system would take in more and more of a flood.
    pub fn limit_waiting(&self, bytes: usize) {
        sockopt::set_socket_recv_buffer_size(&self.stream, bytes).expect("it is a socket");
    }

    /// Sends bytes that may be a frame or not.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: part of them may have been sent.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        within_patience("the server to read", self.stream.write_all(bytes))
            .await
            .expect("the server has hung up");
    }

    /// Sends bytes if the server takes them, all of them, before it lets so much time pass.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: part of them may have been sent.
    pub async fn is_taken(&mut self, bytes: &[u8], at_most: Duration) -> bool {
        let sent = timeout(at_most, self.stream.write_all(bytes)).await;
        sent.map(|sent| sent.expect("the server has hung up")).is_ok()
    }

    /// Sends one frame.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: part of it may have been sent.
    pub async fn send(&mut self, opcode: Opcode, part: Part, payload: &[u8]) {
        self.send_bytes(&frame(opcode, part, payload)).await;
    }

    /// Sends a message as one text frame.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: part of it may have been sent.
    pub async fn send_text(&mut self, text: &str) {
        self.send(Opcode::Text, Part::Last, text.as_bytes()).await;
    }

    /// The next message. Pings before it get no answer.
    ///
    /// # Panics
    ///
    /// If it is no message but the end.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: part of it may be lost.
    pub async fn next(&mut self) -> Value {
        loop {
            let (opcode, payload) = self.next_frame().await.expect("the server hung up");
            if opcode == Opcode::Ping as u8 {
                continue;
            }
            let text = String::from_utf8_lossy(&payload);
            assert_eq!(opcode, Opcode::Text as u8, "{text:?}");
            return serde_json::from_slice(&payload).expect("a message is JSON");
        }
    }

    /// The answer to this request; what comes before it is dropped.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: part of it may be lost.
    pub async fn answer(&mut self, id: u64) -> Value {
        loop {
            let message = self.next().await;
            if message["id"] == id {
                return message;
            }
        }
    }

    /// The code and the reason of the close frame, which must come; messages before it are dropped.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: it is lost.
    pub async fn close_frame(&mut self) -> (u16, String) {
        loop {
            let (opcode, payload) = self.next_frame().await.expect("hung up without a reason");
            if opcode == Opcode::Close as u8 {
                let (code, reason) = payload.split_at(2);
                let reason = String::from_utf8(reason.to_vec()).expect("a reason is text");
                return (u16::from_be_bytes([code[0], code[1]]), reason);
            }
        }
    }

    /// Waits for a ping, and returns what it holds. Messages before it are dropped.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: part of it may be lost.
    pub async fn ping(&mut self) -> Vec<u8> {
        self.payload_of(Opcode::Ping).await
    }

    /// Waits for the answer to a ping, and returns what it holds. Messages before it are dropped.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: part of it may be lost.
    pub async fn pong(&mut self) -> Vec<u8> {
        self.payload_of(Opcode::Pong).await
    }

    async fn payload_of(&mut self, wanted: Opcode) -> Vec<u8> {
        loop {
            let (opcode, payload) = self.next_frame().await.expect("the server hung up");
            if opcode == wanted as u8 {
                return payload;
            }
        }
    }

    /// Waits until the server has closed the socket, too.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn closed(&mut self) {
        let mut rest = Vec::new();
        // How it ends does not matter: a reset is an end as well.
        let _ = within_patience("the end of the socket", self.stream.read_to_end(&mut rest)).await;
    }

    /// Sends bytes and the end of the socket in one packet, and leaves.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: part of them may have been sent.
    pub async fn send_last(mut self, bytes: &[u8]) {
        // A corked socket holds back what does not fill a packet until there is more to say, or the end.
        sockopt::set_tcp_cork(&self.stream, true).expect("it is a TCP socket");
        self.send_bytes(bytes).await;
        let _ = within_patience("the end to be sent", self.stream.shutdown()).await;
    }

    /// Breaks the connection as a network does: the server's next look at it is an error.
    pub fn reset(self) {
        self.stream.set_zero_linger().expect("it is a socket");
    }

    async fn next_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        within_patience("a frame", read_frame(&mut self.stream)).await
    }
}

/// The opcode and the payload of the next frame; None if the server has hung up.
///
/// # Panics
///
/// If it is none that a server may send.
///
/// # Cancel safety
///
/// Not cancel safe: part of it may be lost.
pub async fn read_frame(from: &mut (impl AsyncRead + Unpin)) -> Option<(u8, Vec<u8>)> {
    let first = from.read_u8().await.ok()?;
    assert_eq!(first & 0x70, 0, "a frame with reserved bits");
    let second = from.read_u8().await.ok()?;
    assert_eq!(second & 0x80, 0, "a server does not mask");
    let bytes = match second {
        126 => u64::from(from.read_u16().await.ok()?),
        127 => from.read_u64().await.ok()?,
        short => u64::from(short),
    };
    let mut payload = vec![0; usize::try_from(bytes).expect("it fits into memory")];
    from.read_exact(&mut payload).await.ok()?;
    Some((first & 0x0f, payload))
}

/// The bytes of one frame.
pub fn frame(opcode: Opcode, part: Part, payload: &[u8]) -> Vec<u8> {
    let mut bytes = frame_head(opcode, part, payload.len() as u64);
    bytes.extend_from_slice(payload);
    bytes
}

/// The bytes in front of a payload of this length. The mask is all zeros, which leaves it as it is.
pub fn frame_head(opcode: Opcode, part: Part, payload_bytes: u64) -> Vec<u8> {
    const MASKED: u8 = 0x80;
    const LENGTH_IN_TWO_BYTES: u8 = 0x7e;
    const LENGTH_IN_EIGHT_BYTES: u8 = 0x7f;
    const NO_MASK: [u8; 4] = [0; 4];
    let last = match part {
        Part::Last => 0x80,
        Part::More => 0,
    };
    let mut head = vec![last | opcode as u8];
    match (u8::try_from(payload_bytes), u16::try_from(payload_bytes)) {
        (Ok(bytes @ ..LENGTH_IN_TWO_BYTES), _) => head.push(MASKED | bytes),
        (_, Ok(bytes)) => {
            head.push(MASKED | LENGTH_IN_TWO_BYTES);
            head.extend_from_slice(&bytes.to_be_bytes());
        }
        (_, Err(_)) => {
            head.push(MASKED | LENGTH_IN_EIGHT_BYTES);
            head.extend_from_slice(&payload_bytes.to_be_bytes());
        }
    }
    head.extend_from_slice(&NO_MASK);
    head
}

/// Where a `ws://` URL leads.
pub fn address(url: &str) -> SocketAddr {
    url.strip_prefix("ws://")
        .and_then(|address| address.parse().ok())
        .unwrap_or_else(|| panic!("{url:?} is not ws://IP:PORT"))
}
