//! Where a server listens, and what it is shown.

use std::sync::mpsc;

use bytes::Bytes;
use exec_client::{Client, ClientError, ConnectError, Endpoint, Event, Transport};
use exec_protocol::process::StartParams;
use futures_util::StreamExt;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

use crate::fake::{Peer, listen, process_id, soon};

fn endpoint(url: &str) -> Endpoint {
    url.parse().unwrap()
}

/// Speaks websocket with whoever connected, and says what it has shown: its URI and its Authorization header.
#[expect(clippy::result_large_err, reason = "the type is the library's")]
pub(crate) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
) -> (WebSocketStream<S>, String, Option<String>) {
    let (tell, told) = mpsc::channel();
    let look = move |request: &Request, response: Response| {
        let shown = request.headers().get("authorization");
        let shown = shown.map(|value| value.to_str().unwrap().to_owned());
        tell.send((request.uri().to_string(), shown)).unwrap();
        Ok(response)
    };
    // On the heap: what opens a connection is large.
    let socket = soon(Box::pin(tokio_tungstenite::accept_hdr_async(stream, look)))
        .await
        .unwrap();
    let (uri, shown) = told.try_recv().unwrap();
    (socket, uri, shown)
}

/// What a connection has shown, and that a message gets through.
async fn shown(endpoint: &Endpoint, listener: &TcpListener) -> (String, Option<String>) {
    let serve = async {
        let (stream, _) = listener.accept().await.unwrap();
        accept(stream).await
    };
    let (transport, (mut socket, uri, shown)) = soon(Box::pin(async {
        tokio::join!(Transport::connect(endpoint), serve)
    }))
    .await;
    let (mut sender, _receiver) = transport.unwrap().split();
    sender.send(Bytes::from_static(b"hi")).await.unwrap();
    assert_eq!(soon(socket.next()).await.unwrap().unwrap(), Message::text("hi"));
    (uri, shown)
}

/// Answers the next request with these bytes.
async fn answer(listener: &TcpListener, answer: &str) {
    let (mut stream, _) = soon(listener.accept()).await.unwrap();
    read_head(&mut stream).await;
    stream.write_all(answer.as_bytes()).await.unwrap();
    // Until the client hangs up, so that it has read the answer.
    let _ = soon(stream.read(&mut [0; 64])).await;
}

async fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        assert_ne!(soon(stream.read_buf(&mut head)).await.unwrap(), 0);
    }
}

fn status(line: &str, message: &str) -> String {
    let length = message.len();
    format!("HTTP/1.1 {line}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{message}")
}

#[tokio::test]
async fn a_token_is_shown_in_the_header_only() {
    let (listener, url) = listen().await;
    assert_eq!(shown(&endpoint(&url), &listener).await, ("/".into(), None));
    let with_token = endpoint(&format!("{url}/path?a=b")).with_token("s3cret").unwrap();
    let expected = ("/path?a=b".into(), Some("Bearer s3cret".into()));
    assert_eq!(shown(&with_token, &listener).await, expected);
}

#[tokio::test]
async fn a_token_that_does_not_fit_into_a_header_is_refused() {
    for token in ["", "two words", "line\n", "ü"] {
        let refused = endpoint("ws://127.0.0.1:1").with_token(token);
        assert!(matches!(refused, Err(ConnectError::InvalidToken)), "{token:?}");
    }
}

#[tokio::test]
async fn a_token_file_is_read_for_each_connection() {
    let (listener, url) = listen().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    let endpoint = endpoint(&url).with_token_file(&path);
    let missing = soon(Transport::connect(&endpoint)).await;
    assert!(
        matches!(missing, Err(ConnectError::TokenFile { .. })),
        "{missing:?}"
    );
    for token in ["first", "second"] {
        std::fs::write(&path, format!("{token}\n")).unwrap();
        let (_, shown) = shown(&endpoint, &listener).await;
        assert_eq!(shown, Some(format!("Bearer {token}")));
    }
}

#[tokio::test]
async fn a_refusal_says_what_it_means_and_what_the_server_said() {
    let (listener, url) = listen().await;
    let endpoint = endpoint(&url);
    for (line, number) in [
        ("401 Unauthorized", 401),
        ("403 Forbidden", 403),
        ("421 Misdirected Request", 421),
        ("503 Service Unavailable", 503),
    ] {
        let text = status(line, "so it is\n");
        let (outcome, ()) = tokio::join!(soon(Transport::connect(&endpoint)), answer(&listener, &text));
        let error = outcome.unwrap_err();
        let is_expected = match &error {
            ConnectError::Unauthorized { message } => number == 401 && message == "so it is",
            ConnectError::Forbidden { message } => number == 403 && message == "so it is",
            ConnectError::Misdirected { message } => number == 421 && message == "so it is",
            ConnectError::Status { status, message } => *status == number && message == "so it is",
            _ => false,
        };
        assert!(
            is_expected && error.to_string().contains(&number.to_string()),
            "{error:?}"
        );
    }
}

/// A client with a process, whose connection broke and whose first attempt to come back was answered with this status.
async fn refused_on_return(line: &str) -> (TcpListener, Client, exec_client::Process) {
    let (listener, url) = listen().await;
    let (mut peer, client) = Peer::with_client_at(&listener, &url, json!({})).await;
    let params = StartParams::new(process_id("p"), ["true"]);
    let (process, _) = tokio::join!(client.start(&params), peer.accept_start());
    drop(peer);
    answer(&listener, &status(line, "")).await;
    (listener, client, process.unwrap())
}

#[tokio::test]
async fn a_client_that_is_not_let_in_any_more_does_not_try_again() {
    for line in ["401 Unauthorized", "403 Forbidden", "421 Misdirected Request"] {
        let (_listener, _client, mut process) = refused_on_return(line).await;
        assert_eq!(soon(process.next()).await, Some(Event::Disconnected), "{line}");
    }
}

#[tokio::test]
async fn a_server_that_has_no_room_is_tried_again() {
    let (listener, _client, _process) = refused_on_return("503 Service Unavailable").await;
    Peer::take_back(&listener).await;
}

#[tokio::test]
async fn a_client_comes_back_with_the_token_of_the_day() {
    let (listener, url) = listen().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "monday").unwrap();
    let endpoint = endpoint(&url).with_token_file(file.path());
    let script = async {
        let (stream, _) = soon(listener.accept()).await.unwrap();
        let (socket, _, shown) = accept(stream).await;
        assert_eq!(shown.as_deref(), Some("Bearer monday"));
        let mut peer = Peer::Websocket(Box::new(socket));
        peer.initialize().await;
        std::fs::write(file.path(), "tuesday").unwrap();
    };
    let connected = Box::pin(async { tokio::join!(Client::connect_to(&endpoint, "test"), script) });
    let (client, ()) = soon(connected).await;
    let _client = client.unwrap();
    let (stream, _) = soon(listener.accept()).await.unwrap();
    let (_, _, shown) = accept(stream).await;
    assert_eq!(shown.as_deref(), Some("Bearer tuesday"));
}

#[tokio::test]
async fn a_unix_socket_is_reached_by_its_path() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("exec server.sock");
    let endpoint = endpoint(&format!("unix://{}", path.display()));
    let nobody = soon(Client::connect_to(&endpoint, "test")).await;
    assert!(
        matches!(nobody, Err(ClientError::Connect(ConnectError::Unix { .. }))),
        "{nobody:?}"
    );
    let listener = UnixListener::bind(&path).unwrap();
    let serve = async {
        let (stream, _) = listener.accept().await.unwrap();
        accept(stream).await
    };
    let (transport, (mut socket, uri, shown)) = soon(Box::pin(async {
        tokio::join!(Transport::connect(&endpoint), serve)
    }))
    .await;
    assert_eq!((uri.as_str(), shown), ("/", None));
    let (mut sender, _receiver) = transport.unwrap().split();
    sender.send(Bytes::from_static(b"hi")).await.unwrap();
    assert_eq!(soon(socket.next()).await.unwrap().unwrap(), Message::text("hi"));
}

#[cfg(not(feature = "tls"))]
#[tokio::test]
async fn without_tls_it_is_not_spoken() {
    let refused = soon(Transport::websocket("wss://127.0.0.1:1")).await;
    assert!(matches!(refused, Err(ConnectError::NoTls)), "{refused:?}");
}
