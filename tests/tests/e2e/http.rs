//! What a websocket server says to those who speak HTTP.

use exec_client::Transport;
use exec_tests::wait::within_patience;
use exec_tests::websocket::{Opcode, Part, RawWebsocket, address, frame};
use exec_tests::{Peer, TestServer, on_wires};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A connection on which these bytes were sent.
async fn ask(server: &TestServer, request: impl AsRef<[u8]>) -> TcpStream {
    let mut stream = TcpStream::connect(address(server.url()))
        .await
        .expect("the server listens");
    stream
        .write_all(request.as_ref())
        .await
        .expect("the server reads");
    stream
}

/// What the server answers to these bytes before it hangs up.
pub(crate) async fn answer(server: &TestServer, request: impl AsRef<[u8]>) -> String {
    let mut stream = ask(server, request).await;
    let mut answer = String::new();
    within_patience("an answer", stream.read_to_string(&mut answer))
        .await
        .expect("it is text");
    answer
}

/// The status of the answer to a request that may lead to a websocket.
pub(crate) async fn first_status(server: &TestServer, request: impl AsRef<[u8]>) -> u16 {
    let mut stream = ask(server, request).await;
    let mut line = [0; "HTTP/1.1 101".len()];
    within_patience("a status", stream.read_exact(&mut line))
        .await
        .expect("there is an answer");
    let line = String::from_utf8_lossy(&line);
    let status = line.rsplit(' ').next().and_then(|status| status.parse().ok());
    status.unwrap_or_else(|| panic!("no status: {line:?}"))
}

/// The status, after a look at what every answer must have.
pub(crate) async fn status(server: &TestServer, request: impl AsRef<[u8]>) -> u16 {
    let answer = answer(server, request).await;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("no head: {answer:?}"));
    let head = head.to_ascii_lowercase();
    assert!(head.contains("\r\nconnection: close"), "{answer:?}");
    assert!(
        head.contains(&format!("\r\ncontent-length: {}", body.len())),
        "{answer:?}"
    );
    let status = answer
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.split(' ').next());
    status
        .and_then(|status| status.parse().ok())
        .unwrap_or_else(|| panic!("no status: {answer:?}"))
}

pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

on_wires! {
    [websocket]
    async fn a_server_says_that_it_is_ready(server: &TestServer) {
        for path in ["/readyz", "/healthz", "/readyz?verbose"] {
            assert_eq!(status(server, get(path)).await, 200, "{path}");
        }
        assert_eq!(status(server, "GET /readyz HTTP/1.0\r\n\r\n").await, 200);
    }

    [websocket]
    async fn any_other_path_wants_a_websocket(server: &TestServer) {
        for path in ["/", "/readyz/", "/ready", "/a/b?c"] {
            assert_eq!(status(server, get(path)).await, 426, "{path}");
        }
        assert!(answer(server, get("/")).await.to_ascii_lowercase().contains("\r\nupgrade: websocket\r\n"));
        // Half a handshake is none.
        let half = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
        assert_eq!(status(server, half).await, 426);
    }

    [websocket]
    async fn other_methods_are_not_allowed(server: &TestServer) {
        for method in ["POST", "PUT", "HEAD", "OPTIONS", "DELETE"] {
            for path in ["/", "/readyz"] {
                let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
                assert_eq!(status(server, request).await, 405, "{method} {path}");
            }
        }
    }

    [websocket]
    async fn what_is_not_http_is_a_bad_request(server: &TestServer) {
        for garbage in [
            &b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"[..],
            b"{\"id\":1,\"method\":\"initialize\"}\n",
            b"GET\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
            b"\xff\xff\xff\xff\r\n\r\n",
        ] {
            assert_eq!(status(server, garbage).await, 400, "{:?}", String::from_utf8_lossy(garbage));
        }
    }

    [websocket]
    async fn a_head_that_is_too_long_is_refused(server: &TestServer) {
        let long = |name: &str, bytes: usize| format!("GET /readyz HTTP/1.1\r\nHost: localhost\r\n{name}: {}\r\n\r\n", "a".repeat(bytes));
        assert_eq!(status(server, long("Cookie", 7 << 10)).await, 200);
        assert_eq!(status(server, long("Cookie", 9 << 10)).await, 431);
        let path = "a".repeat(9 << 10);
        assert_eq!(status(server, get(&format!("/{path}"))).await, 431);
        let many = "A: b\r\n".repeat(100);
        assert_eq!(status(server, format!("GET /readyz HTTP/1.1\r\n{many}\r\n")).await, 431);
    }

    [websocket]
    async fn a_request_may_come_in_pieces(server: &TestServer) {
        let mut stream = TcpStream::connect(address(server.url())).await.expect("the server listens");
        for byte in get("/readyz").bytes() {
            stream.write_all(&[byte]).await.expect("the server reads");
        }
        let mut answer = String::new();
        within_patience("an answer", stream.read_to_string(&mut answer)).await.expect("it is text");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }

    [websocket]
    async fn whoever_says_nothing_holds_up_nobody(server: &TestServer) {
        let mut silent = Vec::new();
        for _ in 0..50 {
            silent.push(TcpStream::connect(address(server.url())).await.expect("the server listens"));
        }
        assert_eq!(status(server, get("/readyz")).await, 200);
        let mut peer = server.session().await;
        peer.call("environment/info", Value::Null).await;
        peer.finish().await;
    }

    [websocket]
    async fn a_websocket_may_be_opened_on_any_path(server: &TestServer) {
        for path in ["", "/", "/exec", "/a/b%20c?token=1"] {
            let url = format!("{}{path}", server.url());
            let transport = within_patience("a connection", Transport::websocket(&url)).await.expect(path);
            let mut peer = Peer::new(transport);
            peer.handshake().await;
            assert_eq!(peer.run(serde_json::json!({"processId": "p", "argv": ["/bin/echo", "hi"]})).await.text(), "hi\n");
            peer.finish().await;
        }
    }

    [websocket]
    async fn messages_may_come_right_behind_the_handshake(server: &TestServer) {
        let behind = [
            frame(Opcode::Text, Part::Last, br#"{"id":1,"method":"initialize","params":{}}"#),
            frame(Opcode::Text, Part::Last, br#"{"method":"initialized"}"#),
            frame(Opcode::Text, Part::Last, br#"{"id":2,"method":"environment/info"}"#),
        ]
        .concat();
        let mut raw = RawWebsocket::connect(server.url(), "/", &behind).await;
        assert!(raw.answer(2).await["result"]["cwd"].is_string());
    }

    [websocket]
    /// The harness checks at its end that nothing else was printed.
    async fn the_url_is_printed_and_leads_to_the_server(server: &TestServer) {
        assert!(server.url().starts_with("ws://127.0.0.1:"), "{}", server.url());
        assert_ne!(address(server.url()).port(), 0);
        assert_eq!(status(server, get("/readyz")).await, 200);
    }
}
