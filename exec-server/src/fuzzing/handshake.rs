//! The HTTP request before a websocket, against a model that reads its head line by line.

use std::net::{Ipv4Addr, Ipv6Addr};

use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::cuts;
use super::head::Head;
use crate::limits::MAX_HTTP_HEAD_BYTES;
use crate::transport::answer_to;

/// How many beginnings of an input are tried, about: each is parsed from its first byte.
const BEGINNINGS: usize = 128;

/// What an answer says.
struct Answer<'a> {
    status: u16,
    /// Its head, without the status line.
    headers: &'a str,
}

/// However the head of an HTTP request comes, it is answered in the same way, as soon as it can be, with one answer that is
/// whole, and is the one that this request gets.
pub fn handshake(bytes: &[u8]) {
    let bytes = &bytes[..bytes.len().min(MAX_HTTP_HEAD_BYTES - 1)];
    let whole = answer_to(bytes);
    for pieces in cuts(bytes) {
        let skipped = pieces.len() / BEGINNINGS + 1;
        let mut ends = pieces
            .chunks(skipped)
            .scan(0, |end, some| {
                *end += some.iter().map(|piece| piece.len()).sum::<usize>();
                Some(*end)
            })
            .chain([bytes.len()]);
        let answered = ends.find_map(|end| answer_to(&bytes[..end]));
        assert_eq!(answered, whole);
    }
    let Some((answer, head_bytes)) = whole else {
        let longest = [bytes, &[b'a'; MAX_HTTP_HEAD_BYTES]].concat();
        let answered = answer_to(&longest[..MAX_HTTP_HEAD_BYTES]);
        assert!(answered.is_some(), "there is no end of waiting for a head");
        return;
    };
    let text = answer.map(|answer| String::from_utf8(answer).expect("an answer is text"));
    let answer = text.as_deref().map(whole_answer);
    if head_bytes == 0 {
        let status = answer.expect("metrics are for a whole request").status;
        assert!(
            matches!(status, 400 | 431),
            "a head that is none is answered {status}"
        );
        return;
    }
    let early = answer_to(&bytes[..head_bytes - 1]);
    assert!(early.is_none(), "it is answered before it has an end");
    let head = Head::parse(&bytes[..head_bytes]);
    let status = answer.as_ref().map(|answer| answer.status);
    assert_eq!(status, expected(&head), "{head:?}");
    if let Some(Answer {
        status: 101, headers, ..
    }) = answer
    {
        let key = head.values("sec-websocket-key")[0];
        let accepted = format!("sec-websocket-accept: {}\r\n", derive_accept_key(key));
        let headers = headers.to_ascii_lowercase() + "\r\n";
        assert!(headers.contains(&accepted.to_ascii_lowercase()), "{headers}");
    }
}

/// What an answer says, which is whole and has nothing behind it.
fn whole_answer(answer: &str) -> Answer<'_> {
    let (head, body) = answer.split_once("\r\n\r\n").expect("its head has an end");
    let (line, headers) = head.split_once("\r\n").expect("it has headers");
    let status = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    let status = status.and_then(|status| status.parse().ok());
    let status = status.expect("it has a status");
    assert!(headers.split("\r\n").all(|line| line.contains(": ")), "{answer}");
    if status == 101 {
        assert!(body.is_empty());
    } else {
        let length = format!("Content-Length: {}\r\n", body.len());
        assert!(headers.contains(&length), "{answer}");
    }
    Answer { status, headers }
}

/// The status that a whole request gets from a server that asks for no token and goes by no name. None for metrics.
fn expected(head: &Head<'_>) -> Option<u16> {
    if head.method != b"GET" {
        return Some(405);
    }
    let path = head.target.split(|byte| *byte == b'?').next().unwrap_or_default();
    let host = is_this_machine(head);
    if matches!(path, b"/readyz" | b"/healthz") {
        let is_old = head.version == b"HTTP/1.0" && head.values("host").is_empty();
        return Some(if is_old { 200 } else { host.err().unwrap_or(200) });
    }
    if let Err(status) = host {
        return Some(status);
    }
    match (head.values("origin").len(), path) {
        (0, b"/metrics") => None,
        (0, _) if is_websocket(head) => Some(101),
        (0, _) => Some(426),
        (1, _) => Some(403),
        (_, _) => Some(400),
    }
}

/// The status of a request that is not for this machine.
pub(super) fn is_this_machine(head: &Head<'_>) -> Result<(), u16> {
    let [value] = head.values("host")[..] else {
        return Err(400);
    };
    let text = str::from_utf8(value).map_err(|_| 400_u16)?;
    let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            address.parse::<Ipv6Addr>().map_err(|_| 400_u16)?;
            ("localhost", port)
        }
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let digits = port.strip_prefix(':').unwrap_or("0");
    let is_port = digits.is_empty() || digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_port = is_port && (digits.is_empty() || digits.parse::<u16>().is_ok());
    if !is_port || !(port.is_empty() || port.starts_with(':')) {
        return Err(400);
    }
    let name = name.to_ascii_lowercase();
    let rooted = name.strip_suffix('.').unwrap_or(&name);
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if name.parse::<Ipv4Addr>().is_ok() || rooted == "localhost" {
        Ok(())
    } else if rooted.is_empty() || rooted.len() > 253 || !rooted.bytes().all(is_name) {
        Err(400)
    } else {
        Err(421)
    }
}

/// Whether it asks for a websocket. Of a header that is there more than once the first counts.
fn is_websocket(head: &Head<'_>) -> bool {
    let first = |name| head.values(name).first().copied().unwrap_or_default();
    let mut wishes = first("connection").split(|byte| b" ,".contains(byte));
    let connection_is_text = first("connection")
        .iter()
        .all(|byte| (b' '..0x7f).contains(byte) || *byte == b'\t');
    head.version == b"HTTP/1.1"
        && connection_is_text
        && wishes.any(|wish| wish.eq_ignore_ascii_case(b"upgrade"))
        && first("upgrade").eq_ignore_ascii_case(b"websocket")
        && first("sec-websocket-version") == b"13"
        && is_key(first("sec-websocket-key"))
}

/// Whether this is 16 bytes in base64.
fn is_key(key: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    // The last digit stands for two bits.
    key.len() == 24 && key[..22].iter().all(is_digit) && b"AQgw".contains(&key[21]) && key.ends_with(b"==")
}
