//! `onDisconnect: kill`

use exec_tests::{Marker, TestServer, on_every_wire, on_wires};
use serde_json::{Value, json};

use crate::commands::{on_pipes, script, with};
use crate::witness;

/// Connections that are lost behind a start.
const LOST: usize = 50;

fn kill(marker: &Marker, params: Value) -> Value {
    marker.on(with(params, json!({"onDisconnect": "kill", "graceMs": 100})))
}

on_every_wire! {
    async fn with_its_connection_it_ends(server: &TestServer) {
        let marker = Marker::new();
        let mut peer = server.session().await;
        peer.start(kill(&marker, on_pipes("p", ["ignore-term"]))).await;
        peer.output_until("p", "ready").await;
        peer.hang_up();
        // The session could be resumed for longer than anybody waits here.
        marker.ended().await;
    }
}

on_wires! {
    [memory, websocket]
    async fn others_of_its_session_go_on(server: &TestServer) {
        let marker = Marker::new();
        let mut peer = server.connect().await;
        let session_id = peer.handshake().await.session_id;
        witness::start(&mut peer).await;
        peer.start(kill(&marker, on_pipes("p", ["never-read"]))).await;
        peer.hang_up();
        marker.ended().await;
        let mut peer = server.connect().await;
        peer.resume(&session_id).await;
        witness::answers(&mut peer, "still here").await;
        witness::end(&mut peer).await;
        // What is told of the other depends on when it ended.
        peer.hang_up();
    }

    [memory, websocket]
    async fn what_it_left_behind_ends_too(server: &TestServer) {
        let marker = Marker::new();
        let mut peer = server.session().await;
        let daemon = format!("{} ignore-term >/dev/null 2>&1 </dev/null &", exec_tests::fixture::path());
        peer.run(kill(&marker, script("closed", &daemon))).await;
        peer.start(kill(&marker, on_pipes("held", ["hold-pipe", "100000", "never"]))).await;
        peer.exited("held").await;
        marker.running(2).await;
        peer.hang_up();
        marker.ended().await;
    }

    [memory, websocket]
    async fn one_whose_connection_is_lost_behind_the_start_ends(server: &TestServer) {
        let marker = Marker::new();
        let mut peer = server.connect().await;
        let session_id = peer.handshake().await.session_id;
        for round in 0..LOST {
            peer.request("process/start", kill(&marker, on_pipes(&format!("p{round}"), ["never-read"]))).await;
            if round % 2 == 0 {
                peer.call("environment/info", json!({})).await;
            }
            peer.hang_up();
            peer = server.connect().await;
            peer.resume_silently(&session_id).await;
        }
        peer.hang_up();
        marker.ended().await;
    }
}
