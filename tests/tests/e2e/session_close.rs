//! `session/close`: the end of a session, without waiting for the time in which it could be resumed.

use exec_protocol::SessionId;
use exec_tests::{Marker, Peer, TestServer, on_every_wire, on_wires};
use serde_json::{Value, json};

use crate::commands::{on_pipes, on_terminal, script, with};

/// Starts processes that end in different ways, and none by itself; one of them has left somebody behind.
async fn start_some(peer: &mut Peer, marker: &Marker) {
    let fixture = exec_tests::fixture::path();
    let grace = |params: Value| marker.on(with(params, json!({"graceMs": 200})));
    peer.start(grace(on_pipes("polite", ["last-words"]))).await;
    peer.start(grace(on_pipes("stubborn", ["ignore-term"]))).await;
    peer.start(grace(on_terminal("terminal", ["never-read"]))).await;
    for id in ["polite", "stubborn", "terminal"] {
        peer.output_until(id, "ready").await;
    }
    let daemon = format!("{fixture} never-read >/dev/null 2>&1 </dev/null &");
    peer.run(grace(script("left", &daemon))).await;
    peer.start(grace(on_pipes("held", ["hold-pipe", "100000", "never"])))
        .await;
    peer.exited("held").await;
    marker.running(5).await;
}

/// The session cannot be taken up again.
async fn is_unknown(server: &TestServer, session_id: &SessionId) {
    let mut peer = server.connect().await;
    let resume = json!({"clientName": "t", "resumeSessionId": session_id});
    let error = peer.refused("initialize", resume).await;
    assert_eq!((error.code, &error.data.kind[..]), (-32600, "unknownSession"));
    peer.finish().await;
}

on_every_wire! {
    async fn it_is_answered_when_all_have_ended(peer: &mut Peer) {
        let marker = Marker::new();
        start_some(peer, &marker).await;
        assert_eq!(peer.call("session/close", json!({})).await, json!({}));
        let left = marker.processes();
        assert_eq!(left, [], "they live on");
        let polite = peer.output_until_closed("polite").await;
        assert_eq!((polite.text().as_str(), polite.exit_code), ("ready\nbye\n", Some(7)));
        assert_eq!(peer.output_until_closed("stubborn").await.exit_code, Some(137));
        for id in ["terminal", "held"] {
            peer.output_until_closed(id).await;
        }
    }

    async fn behind_it_nothing_can_be_started(peer: &mut Peer) {
        let close = peer.request("session/close", json!({})).await;
        // Pipelined: the session is over when the next request is looked at.
        let start = peer.request("process/start", on_pipes("p", ["exit", "0"])).await;
        assert_eq!(peer.response(close).await, Ok(json!({})));
        let error = peer.response(start).await.expect_err("the session is over");
        assert_eq!((error.code, &error.data.kind[..]), (-32600, "unknownSession"));
        let error = peer.refused("process/start", on_pipes("p", ["exit", "0"])).await;
        assert_eq!(error.data.kind, "unknownSession");
        assert_eq!(peer.call("session/close", json!({})).await, json!({}), "it is closed");
    }
}

on_wires! {
    [memory, websocket]
    async fn it_cannot_be_resumed(server: &TestServer) {
        let mut peer = server.connect().await;
        let session_id = peer.handshake().await.session_id;
        peer.start(on_pipes("p", ["never-read"])).await;
        peer.call("session/close", json!({})).await;
        peer.output_until_closed("p").await;
        is_unknown(server, &session_id).await;
        peer.finish().await;
        is_unknown(server, &session_id).await;
    }

    [memory, websocket]
    async fn it_is_carried_out_although_the_client_hangs_up(server: &TestServer) {
        for _ in 0..3 {
            let marker = Marker::new();
            let mut peer = server.connect().await;
            let session_id = peer.handshake().await.session_id;
            start_some(&mut peer, &marker).await;
            peer.request("session/close", json!({})).await;
            peer.hang_up();
            marker.ended().await;
            is_unknown(server, &session_id).await;
        }
    }

    [memory, websocket]
    async fn other_sessions_do_not_notice(server: &TestServer) {
        let mut other = server.session().await;
        crate::witness::start(&mut other).await;
        let mut peer = server.session().await;
        peer.start(on_pipes("p", ["never-read"])).await;
        peer.call("session/close", json!({})).await;
        peer.output_until_closed("p").await;
        peer.finish().await;
        crate::witness::answers(&mut other, "still here").await;
        crate::witness::end(&mut other).await;
        other.finish().await;
    }
}
