//! What a peer asks for before it speaks websocket.

use std::io;
use std::time::SystemTime;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::OwnedSemaphorePermit;
use tokio_tungstenite::tungstenite::handshake::server as handshake;
use tokio_tungstenite::tungstenite::http::{Method, Request, StatusCode, Version};

use super::wire::Wire;
use crate::access::failures::{Source, Told};
use crate::access::{Access, Bound, Identity, Refusal};
use crate::limits::MAX_HTTP_HEAD_BYTES;
use crate::server::Server;
use crate::stats;

/// Headers of one request. A browser sends some twenty.
const MAX_HEADERS: usize = 64;

const PLAIN_TEXT: &str = "text/plain";

/// A peer that speaks websocket from here on.
#[derive(Debug)]
pub(super) struct Upgraded {
    /// Who it is.
    pub(super) identity: Identity,
    /// What it has sent behind its request.
    pub(super) received: BytesMut,
    /// Room for it among the connections.
    pub(super) permit: OwnedSemaphorePermit,
}

/// Answers the HTTP request on `wire`. None if the answer was another than to switch to websocket.
///
/// `GET /readyz` and `GET /healthz` are answered 200: whoever gets the answer reached a server that
/// accepts connections. `GET /metrics` has what `server/stats` tells. Any other path is one to speak websocket on. Who may
/// not come in is told why, but not any number of times.
///
/// # Errors
///
/// When the peer hangs up.
pub(super) async fn upgrade(
    server: &Server,
    wire: &mut Wire,
    bound: Bound,
    source: Source,
) -> io::Result<Option<Upgraded>> {
    let mut received = BytesMut::new();
    let decide = |received: &[u8]| decide(&server.config().access, bound, received);
    let answer = match read_head(wire, &mut received, decide).await? {
        Head::Websocket { answer, identity } => {
            if let Some(permit) = server.connection_permit() {
                wire.write_all(&answer).await?;
                wire.flush().await?;
                return Ok(Some(Upgraded {
                    identity,
                    received,
                    permit,
                }));
            }
            server.stats().refused.add(1);
            plain(StatusCode::SERVICE_UNAVAILABLE)
        }
        Head::Metrics => response(StatusCode::OK, stats::CONTENT_TYPE, "", &stats::metrics(server)),
        Head::Plain(status) => plain(status),
        Head::Refused(refusal) => {
            server.stats().refused.add(1);
            if server.refused(source) == Told::HangUp {
                return Ok(None);
            }
            tracing::warn!(%source, reason = %refusal, "a request was refused");
            refused(refusal)
        }
    };
    wire.write_all(&answer).await?;
    wire.shutdown().await?;
    Ok(None)
}

/// What the head of a request amounts to.
enum Head {
    /// A websocket handshake, the answer to it, and whose it is.
    Websocket { answer: Vec<u8>, identity: Identity },
    /// Somebody wants the metrics.
    Metrics,
    /// Something that is answered by a status alone.
    Plain(StatusCode),
    /// Something that the peer may not.
    Refused(Refusal),
}

/// Reads up to the end of the head, which is taken out of `received`.
async fn read_head(
    wire: &mut Wire,
    received: &mut BytesMut,
    decide: impl Fn(&[u8]) -> Option<(Head, usize)>,
) -> io::Result<Head> {
    loop {
        if wire.read_buf(received).await? == 0 {
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
fn decide(access: &Access, bound: Bound, received: &[u8]) -> Option<(Head, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(received) {
        Ok(httparse::Status::Complete(length)) => Some((answer(access, bound, &request), length)),
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
    let (head, length) = decide(&Access::default(), Bound::Tcp, received)?;
    let answer = match head {
        Head::Websocket { answer, .. } => Some(answer),
        Head::Metrics => None,
        Head::Plain(status) => Some(plain(status)),
        Head::Refused(refusal) => Some(refused(refusal)),
    };
    Some((answer, length))
}

fn answer(access: &Access, bound: Bound, request: &httparse::Request<'_, '_>) -> Head {
    if request.method != Some("GET") {
        return Head::Plain(StatusCode::METHOD_NOT_ALLOWED);
    }
    let path = request.path.and_then(|target| target.split('?').next());
    if matches!(path, Some("/readyz" | "/healthz")) {
        let probed = access.admit_probe(request, bound);
        return probed.map_or_else(Head::Refused, |()| Head::Plain(StatusCode::OK));
    }
    match access.admit(request, bound, SystemTime::now()) {
        Err(refusal) => Head::Refused(refusal),
        Ok(_) if path == Some("/metrics") => Head::Metrics,
        Ok(identity) => match switch_protocols(request) {
            Some(answer) => Head::Websocket { answer, identity },
            None => Head::Plain(StatusCode::UPGRADE_REQUIRED),
        },
    }
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
    let upgrade = if status == StatusCode::UPGRADE_REQUIRED {
        "Upgrade: websocket\r\n"
    } else {
        ""
    };
    let text = status.canonical_reason().unwrap_or_default();
    response(status, PLAIN_TEXT, upgrade, &format!("{text}\n"))
}

fn refused(refusal: Refusal) -> Vec<u8> {
    let challenge = refusal
        .challenge()
        .map(|challenge| format!("WWW-Authenticate: {challenge}\r\n"));
    response(
        refusal.status(),
        PLAIN_TEXT,
        &challenge.unwrap_or_default(),
        &format!("{refusal}\n"),
    )
}

/// `headers` are whole lines.
fn response(status: StatusCode, content_type: &str, headers: &str, body: &str) -> Vec<u8> {
    let text = status.canonical_reason().unwrap_or_default();
    format!(
        "HTTP/1.1 {} {text}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n{headers}Connection: close\r\n\r\n{body}",
        status.as_u16(),
        body.len(),
    )
    .into_bytes()
}
