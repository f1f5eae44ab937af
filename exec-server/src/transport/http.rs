//! What a peer asks for before it speaks websocket.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::server as handshake;
use tokio_tungstenite::tungstenite::http::{Method, Request, StatusCode, Version};

use crate::limits::{HTTP_HEAD_WAIT, MAX_HTTP_HEAD_BYTES};
use crate::server::Server;
use crate::stats;

/// Headers of one request. A browser sends some twenty.
const MAX_HEADERS: usize = 64;

/// Answers the HTTP request on `stream`. If the answer was to switch to websocket, this is what the peer sent behind its
/// request.
///
/// `GET /readyz` and `GET /healthz` are answered 200: whoever gets the answer reached a server that
/// accepts connections. `GET /metrics` has what `server/stats` tells. Any other path is one to speak websocket on.
///
/// # Errors
///
/// When the peer hangs up or takes too long.
pub(super) async fn upgrade(
    server: &Server,
    stream: &mut TcpStream,
    has_room: bool,
) -> io::Result<Option<BytesMut>> {
    let mut received = BytesMut::new();
    let head = tokio::time::timeout(HTTP_HEAD_WAIT, read_head(stream, &mut received)).await??;
    let answer = match head {
        Head::Websocket(answer) if has_room => {
            stream.write_all(&answer).await?;
            return Ok(Some(received));
        }
        Head::Websocket(_) => {
            server.stats().refused.add(1);
            plain(StatusCode::SERVICE_UNAVAILABLE)
        }
        Head::Metrics => response(StatusCode::OK, stats::CONTENT_TYPE, &stats::metrics(server)),
        Head::Plain(status) => plain(status),
    };
    stream.write_all(&answer).await?;
    stream.shutdown().await?;
    Ok(None)
}

/// What the head of a request amounts to.
enum Head {
    /// A websocket handshake, and the answer to it.
    Websocket(Vec<u8>),
    /// Somebody wants the metrics.
    Metrics,
    /// Something that is answered by a status alone.
    Plain(StatusCode),
}

/// Reads up to the end of the head, which is taken out of `received`.
async fn read_head(stream: &mut TcpStream, received: &mut BytesMut) -> io::Result<Head> {
    loop {
        if stream.read_buf(received).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some((head, length)) = decide(received) {
            let _ = received.split_to(length);
            return Ok(head);
        }
    }
}

/// What so many bytes amount to, and how many of them are the head: none of one that is refused before its end. None as
/// long as more has to come.
fn decide(received: &[u8]) -> Option<(Head, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(received) {
        Ok(httparse::Status::Complete(length)) => Some((answer(&request), length)),
        Ok(httparse::Status::Partial) if received.len() < MAX_HTTP_HEAD_BYTES => None,
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            Some((Head::Plain(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE), 0))
        }
        Err(_) => Some((Head::Plain(StatusCode::BAD_REQUEST), 0)),
    }
}

/// The bytes that are answered to so many, but for metrics, and how many of them are the head.
#[cfg(any(fuzzing, test))]
pub(crate) fn answer_to(received: &[u8]) -> Option<(Option<Vec<u8>>, usize)> {
    let (head, length) = decide(received)?;
    let answer = match head {
        Head::Websocket(answer) => Some(answer),
        Head::Metrics => None,
        Head::Plain(status) => Some(plain(status)),
    };
    Some((answer, length))
}

fn answer(request: &httparse::Request<'_, '_>) -> Head {
    if request.method != Some("GET") {
        return Head::Plain(StatusCode::METHOD_NOT_ALLOWED);
    }
    let path = request.path.and_then(|target| target.split('?').next());
    if matches!(path, Some("/readyz" | "/healthz")) {
        return Head::Plain(StatusCode::OK);
    }
    if path == Some("/metrics") {
        return Head::Metrics;
    }
    switch_protocols(request).map_or(Head::Plain(StatusCode::UPGRADE_REQUIRED), Head::Websocket)
}

/// The answer to a websocket handshake. None if the request is not one.
fn switch_protocols(request: &httparse::Request<'_, '_>) -> Option<Vec<u8>> {
    let version = if request.version == Some(1) {
        Version::HTTP_11
    } else {
        Version::HTTP_10
    };
    let mut builder = Request::builder().method(Method::GET).version(version);
    for header in request.headers.iter() {
        builder = builder.header(header.name, header.value);
    }
    let response = handshake::create_response(&builder.body(()).ok()?).ok()?;
    let mut answer = Vec::new();
    handshake::write_response(&mut answer, &response).ok()?;
    Some(answer)
}

fn plain(status: StatusCode) -> Vec<u8> {
    let text = status.canonical_reason().unwrap_or_default();
    response(status, "text/plain", &format!("{text}\n"))
}

fn response(status: StatusCode, content_type: &str, body: &str) -> Vec<u8> {
    let text = status.canonical_reason().unwrap_or_default();
    let upgrade = if status == StatusCode::UPGRADE_REQUIRED {
        "Upgrade: websocket\r\n"
    } else {
        ""
    };
    format!(
        "HTTP/1.1 {} {text}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n{upgrade}Connection: close\r\n\r\n{body}",
        status.as_u16(),
        body.len(),
    )
    .into_bytes()
}
