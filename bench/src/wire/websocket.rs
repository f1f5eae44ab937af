//! A message per text frame (RFC 6455), as much of it as servers under test use.

use std::io::{self, Write};
use std::net::TcpStream;
use std::ops::Range;

use super::inbox::Inbox;

/// Sent with every connection; the answer to it is not checked, because nothing here is about trust.
const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAA==";

/// A client has to mask what it sends. The value does not matter, but zero could be a shortcut somewhere.
const MASK: [u8; 4] = [0x5a, 0xc3, 0x96, 0x3c];

/// Opcodes that matter here.
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// Stand where a short length would, and say that it follows in two or eight bytes.
const IN_TWO_BYTES: u8 = 0x7e;
const IN_EIGHT_BYTES: u8 = 0x7f;

pub(super) fn connect(url: &str, inbox: &mut Inbox) -> io::Result<TcpStream> {
    let host = url
        .strip_prefix("ws://")
        .unwrap_or(url)
        .split('/')
        .next()
        .unwrap_or_default();
    let mut socket = TcpStream::connect(host)?;
    socket.set_nodelay(true)?;
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
    );
    socket.write_all(request.as_bytes())?;
    let head = receive_head(&mut socket, inbox)?;
    if head.starts_with(b"HTTP/1.1 101") {
        Ok(socket)
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the server did not become a websocket",
        ))
    }
}

/// The other end of [`connect`]: takes what comes as a handshake, and agrees.
pub(crate) fn accept(socket: &mut TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    receive_head(socket, &mut Inbox::new())?;
    socket.write_all(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
}

fn receive_head(socket: &mut TcpStream, inbox: &mut Inbox) -> io::Result<Vec<u8>> {
    loop {
        if let Some(length) = memchr::memmem::find(inbox.pending(), b"\r\n\r\n") {
            let range = inbox.take(0, length + 4);
            return Ok(inbox.bytes(range).to_vec());
        }
        if !inbox.fill(socket, 0)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

pub(super) fn send(to: &mut TcpStream, message: &[u8], framed: &mut Vec<u8>) -> io::Result<()> {
    append_header(framed, message.len(), 0x80);
    framed.extend_from_slice(&MASK);
    framed.extend(
        message
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    to.write_all(framed)
}

/// Appends the header of a text frame. `masked` is 0x80 if a mask follows, else 0.
pub(crate) fn append_header(framed: &mut Vec<u8>, length: usize, masked: u8) {
    framed.push(0x81);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..IN_TWO_BYTES), _) => framed.push(masked | short),
        (_, Ok(medium)) => {
            framed.push(masked | IN_TWO_BYTES);
            framed.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            framed.push(masked | IN_EIGHT_BYTES);
            framed.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

struct Header {
    is_final: bool,
    opcode: u8,
    before_payload: usize,
    payload: usize,
}

pub(super) fn receive(from: &mut TcpStream, inbox: &mut Inbox) -> io::Result<Option<Range<usize>>> {
    loop {
        let Some(header) = parse_header(inbox.pending()) else {
            if !inbox.fill(from, 0)? {
                return Ok(None);
            }
            continue;
        };
        let whole = header.before_payload + header.payload;
        if inbox.pending().len() < whole {
            let missing = whole - inbox.pending().len();
            if !inbox.fill(from, missing)? {
                return Ok(None);
            }
            continue;
        }
        let range = inbox.take(header.before_payload, header.payload);
        match header.opcode {
            CLOSE => return Ok(None),
            PING => pong(from, inbox.bytes(range))?,
            PONG => {}
            _ if header.is_final => return Ok(Some(range)),
            _ => {
                return Err(io::Error::new(
                    io::ErrorKind::Unsupported,
                    "a message in several frames",
                ));
            }
        }
    }
}

fn pong(to: &mut impl Write, payload: &[u8]) -> io::Result<()> {
    let mut framed = Vec::new();
    append_header(&mut framed, payload.len(), 0x80);
    framed[0] = 0x80 | PONG;
    framed.extend_from_slice(&MASK);
    framed.extend(
        payload
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    to.write_all(&framed)
}

/// The header in front, if it is complete. A server does not mask.
fn parse_header(bytes: &[u8]) -> Option<Header> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (before_payload, payload_bytes) = match second & 0x7f {
        126 => (
            4,
            u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)),
        ),
        IN_EIGHT_BYTES => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)),
        short => (2, u64::from(short)),
    };
    Some(Header {
        is_final: first & 0x80 != 0,
        opcode: first & 0x0f,
        before_payload,
        payload: usize::try_from(payload_bytes).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written() {
        for length in [0, 1, 125, 126, 65_535, 65_536, 1 << 24] {
            let mut framed = Vec::new();
            append_header(&mut framed, length, 0);
            assert!(parse_header(&framed[..framed.len() - 1]).is_none(), "{length}");
            let header = parse_header(&framed).unwrap();
            assert!(header.is_final);
            assert_eq!((header.opcode, header.before_payload), (1, framed.len()));
            assert_eq!(header.payload, length);
        }
    }
}
