//! Peers that say nothing any more: those that are there all the same, and those that are gone without a goodbye.

use std::time::Duration;

use exec_client::Transport;
use exec_protocol::SessionId;
use exec_server::Config;
use exec_tests::wait::within_patience;
use exec_tests::websocket::{Opcode, Part, RawWebsocket, frame};
use exec_tests::{Peer, TestServer, fixture};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::server_info::stats_with;
use crate::witness;

/// Long enough for a machine that is busy, short enough to be waited for.
const SILENT_PEER: Duration = Duration::from_secs(2);

/// How long a peer that is there is looked at.
const LONGER: Duration = Duration::from_secs(3);

const REASON: &str = "nothing was heard from the peer";

/// Runs a test against a server in this process, which is reached by memory and at a URL.
async fn on_a_server_that_listens(test: impl AsyncFnOnce(&TestServer, &str)) {
    let server = TestServer::embedded(Config {
        ping_after: Duration::from_millis(100),
        silent_peer: SILENT_PEER,
        ..Config::default()
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a port");
    let address = listener.local_addr().expect("it is bound");
    let url = format!("ws://{address}");
    tokio::select! {
        ended = server.in_process().serve_websocket(listener) => panic!("the server stopped listening: {ended:?}"),
        () = test(&server, &url) => {}
    }
    server.finish().await;
}

/// A raw connection that has shaken hands, and its session.
async fn shaken_hands(url: &str) -> (RawWebsocket, SessionId) {
    let mut raw = RawWebsocket::connect(url, "/", b"").await;
    raw.send_text(r#"{"id":1,"method":"initialize","params":{}}"#)
        .await;
    let session_id = raw.answer(1).await["result"]["sessionId"].clone();
    raw.send_text(r#"{"method":"initialized"}"#).await;
    let session_id = session_id.as_str().expect("a session has a name");
    (raw, SessionId::new(session_id).expect("it is short enough"))
}

async fn resumed(url: &str, session_id: &SessionId) -> Peer {
    let transport = within_patience("a connection", Transport::websocket(url)).await;
    let mut peer = Peer::new(transport.expect("the server listens"));
    assert_eq!(peer.resume(session_id).await.session_id, *session_id);
    peer
}

fn request(id: u64, method: &str, params: &Value) -> String {
    json!({"id": id, "method": method, "params": params}).to_string()
}

#[tokio::test]
async fn who_only_answers_pings_is_not_hung_up_on() {
    on_a_server_that_listens(async |_, url| {
        let (mut raw, _) = shaken_hands(url).await;
        let began = Instant::now();
        while began.elapsed() < LONGER {
            let payload = raw.ping().await;
            raw.send(Opcode::Pong, Part::Last, &payload).await;
        }
        raw.send_text(&request(2, "environment/info", &Value::Null)).await;
        assert!(raw.answer(2).await["result"].is_object());
    })
    .await;
}

#[tokio::test]
async fn who_talks_need_not_answer_pings() {
    on_a_server_that_listens(async |_, url| {
        let (mut raw, _) = shaken_hands(url).await;
        let began = Instant::now();
        for id in 2.. {
            raw.send_text(&request(id, "environment/info", &Value::Null))
                .await;
            assert!(raw.answer(id).await["result"].is_object());
            if began.elapsed() > LONGER {
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn both_times_are_told() {
    on_a_server_that_listens(async |server, _| {
        let mut peer = server.connect().await;
        let limits = peer.handshake().await.limits.expect("the server tells them");
        assert_eq!((limits.ping_after_ms, limits.silent_peer_ms), (100, 2000));
        peer.finish().await;
    })
    .await;
}

#[tokio::test]
async fn who_answers_nothing_is_told_why_it_is_hung_up_on_and_can_resume_its_session() {
    on_a_server_that_listens(async |_, url| {
        let (mut raw, session_id) = shaken_hands(url).await;
        let start = json!({"processId": witness::NAME, "argv": fixture::argv(["echo"]), "pipeStdin": true});
        let began = Instant::now();
        raw.send_text(&request(2, "process/start", &start)).await;
        assert!(raw.answer(2).await["result"].is_object());
        assert_eq!(raw.close_frame().await, (4002, REASON.to_owned()));
        // Times are kept in milliseconds.
        let silent = began.elapsed() + Duration::from_millis(1);
        assert!(silent >= SILENT_PEER, "{silent:?}");
        let mut peer = resumed(url, &session_id).await;
        witness::answers(&mut peer, "after").await;
        witness::end(&mut peer).await;
        peer.finish().await;
    })
    .await;
}

#[tokio::test]
async fn who_takes_nothing_of_a_flood_is_hung_up_on_and_can_resume_its_session() {
    on_a_server_that_listens(async |server, url| {
        let mut witness = server.session().await;
        let (mut raw, session_id) = shaken_hands(url).await;
        let start = json!({"processId": "flood", "argv": fixture::argv(["stamped-flood"])});
        raw.send_text(&request(2, "process/start", &start)).await;
        let gone = "the silent peer to be hung up on";
        stats_with(&mut witness, "the flood to begin", |stats| {
            stats.processes.running == 1
        })
        .await;
        stats_with(&mut witness, gone, |stats| stats.connections.open == 1).await;
        drop(raw);
        let mut peer = resumed(url, &session_id).await;
        let read = peer
            .call("process/read", json!({"processId": "flood", "maxBytes": 0}))
            .await;
        assert_eq!(read["exited"], false);
        let terminated = peer
            .call("process/terminate", json!({"processId": "flood"}))
            .await;
        assert_eq!(terminated, json!({"running": true}));
        peer.hang_up();
        witness.finish().await;
    })
    .await;
}

#[tokio::test]
async fn who_asks_without_end_and_takes_no_answer_is_hung_up_on() {
    on_a_server_that_listens(async |server, url| {
        let mut witness = server.session().await;
        let (mut raw, _) = shaken_hands(url).await;
        // More answers than any socket holds, and more of them than are read while none is taken.
        let question = frame(
            Opcode::Text,
            Part::Last,
            br#"{"id":2,"method":"environment/info"}"#,
        );
        let questions = question.repeat(1000);
        while raw.is_taken(&questions, Duration::from_millis(500)).await {}
        stats_with(&mut witness, "it to be hung up on", |stats| {
            stats.connections.open == 1
        })
        .await;
        drop(raw);
        witness.finish().await;
    })
    .await;
}

#[tokio::test]
async fn who_only_reads_a_flood_is_pinged_in_the_middle_of_it() {
    on_a_server_that_listens(async |_, url| {
        let (mut raw, _) = shaken_hands(url).await;
        let start = json!({"processId": "flood", "argv": fixture::argv(["stamped-flood"])});
        raw.send_text(&request(2, "process/start", &start)).await;
        let began = Instant::now();
        while began.elapsed() < LONGER {
            let payload = raw.ping().await;
            raw.send(Opcode::Pong, Part::Last, &payload).await;
        }
        raw.send_text(&request(3, "process/terminate", &json!({"processId": "flood"})))
            .await;
        assert_eq!(raw.answer(3).await["result"], json!({"running": true}));
    })
    .await;
}

#[tokio::test]
async fn who_pings_in_a_flood_and_reads_no_pong_is_told_what_waits_for_it() {
    on_a_server_that_listens(async |_, url| {
        let (mut raw, _) = shaken_hands(url).await;
        let start = json!({"processId": "flood", "argv": fixture::argv(["stamped-flood"])});
        raw.send_text(&request(2, "process/start", &start)).await;
        assert!(raw.answer(2).await["result"].is_object());
        // Fewer than may come at once, and more than are answered while nobody reads.
        let pings = frame(Opcode::Ping, Part::Last, &[b'p'; 125]).repeat(1_000);
        raw.send_bytes(&pings).await;
        raw.send(Opcode::Ping, Part::Last, b"last").await;
        while raw.pong().await != b"last" {}
        raw.send_text(&request(3, "process/terminate", &json!({"processId": "flood"})))
            .await;
        assert_eq!(raw.answer(3).await["result"], json!({"running": true}));
    })
    .await;
}

#[tokio::test]
async fn every_ping_of_a_peer_that_reads_is_answered() {
    on_a_server_that_listens(async |_, url| {
        let (mut raw, _) = shaken_hands(url).await;
        for number in 0..5_u8 {
            raw.send(Opcode::Ping, Part::Last, &[number]).await;
            assert_eq!(raw.pong().await, [number]);
        }
    })
    .await;
}
