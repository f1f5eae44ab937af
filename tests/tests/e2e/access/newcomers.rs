//! Connections that say nothing, or not enough.

use std::time::Duration;

use exec_tests::websocket::{Opcode, Part, RawWebsocket, address};
use exec_tests::{TestServer, on_wires};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Known, host};
use crate::server_info::stats_with;

/// More than may be new at a time, and than there may be connections.
const SILENT: usize = 3_000;

/// How many the server lets in before it knows whose they are.
const NEWCOMERS: usize = 64;

/// What the server has open beside them, generously.
const OTHERS: usize = 16;

/// Ten times what they have.
const DEADLINE: Duration = Duration::from_secs(100);

/// Lets this program have as many files open as it may: it is both ends of all these connections.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, raised).expect("up to the hard limit it is free");
}

async fn connect(server: &TestServer) -> TcpStream {
    TcpStream::connect(address(server.url()))
        .await
        .expect("the server listens")
}

/// Waits until the server has hung up.
pub(super) async fn hung_up(stream: &mut TcpStream) {
    let mut left = Vec::new();
    // Whether by the end of the stream or by a reset.
    let _ = timeout(DEADLINE, stream.read_to_end(&mut left))
        .await
        .expect("the server hangs up in the end");
}

on_wires! {
    [websocket]
    async fn three_thousand_silent_connections_are_in_nobodys_way(server: &TestServer) {
        raise_open_files();
        let mut served = Known::connect(server.url(), &host(server)).await;
        let process = server.process().expect("it is a program");
        let before = process.open_files().expect("it runs");
        let mut silent = Vec::with_capacity(SILENT);
        for number in 0..SILENT {
            silent.push(connect(server).await);
            if number % 100 == 0 {
                served.call("environment/info", &Value::Null).await;
                let open = process.open_files().expect("it runs");
                assert!(open <= before + NEWCOMERS + OTHERS, "{open} open files, and before {before}");
            }
        }
        // Somebody else comes in as ever.
        let mut another = Known::connect(server.url(), &host(server)).await;
        another.call("environment/info", &Value::Null).await;
        for stream in &mut silent {
            hung_up(stream).await;
        }
        served.call("environment/info", &Value::Null).await;
        another.call("environment/info", &Value::Null).await;
        let open = process.open_files().expect("it runs");
        assert!(open <= before + 1 + OTHERS, "{open} open files, and before {before}");
    }

    [websocket]
    async fn half_a_head_is_not_waited_for(server: &TestServer) {
        let mut halves = Vec::new();
        for half in ["G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\nX: "] {
            let mut stream = connect(server).await;
            stream.write_all(half.as_bytes()).await.expect("the server reads");
            halves.push(stream);
        }
        let mut served = server.session().await;
        for stream in &mut halves {
            hung_up(stream).await;
        }
        served.call("environment/info", Value::Null).await;
        served.finish().await;
    }

    [websocket]
    async fn a_websocket_that_does_not_shake_hands_is_closed_with_a_reason(server: &TestServer) {
        let mut known = Known::connect(server.url(), &host(server)).await;
        let mut silent = RawWebsocket::connect(server.url(), "/", b"").await;
        let mut early = Known::newcomer(server.url(), &host(server)).await;
        let refused = early.call("environment/info", &Value::Null).await;
        assert_eq!(refused["error"]["data"]["kind"], "notInitialized");
        // Neither a ping nor an `initialize` that is refused makes it anybody's.
        early.raw.send(Opcode::Ping, Part::Last, b"").await;
        let mut refused = Known::newcomer(server.url(), &host(server)).await;
        let unknown = refused
            .call("initialize", &serde_json::json!({"resumeSessionId": "none"}))
            .await;
        assert_eq!(unknown["error"]["data"]["kind"], "unknownSession");
        for raw in [&mut silent, &mut early.raw, &mut refused.raw] {
            let (code, reason) = timeout(DEADLINE, raw.close_frame()).await.expect("it is closed in the end");
            assert_eq!((code, reason.contains("initialize")), (1008, true), "{reason}");
        }
        // Who has shaken hands may be silent for as long.
        assert!(known.call("environment/info", &Value::Null).await["result"].is_object());
        let mut peer = server.session().await;
        stats_with(&mut peer, "nothing is left of them", |stats| stats.connections.open == 2).await;
        peer.finish().await;
    }
}
