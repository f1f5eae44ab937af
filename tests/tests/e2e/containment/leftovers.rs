//! Who outlives a closed process is left alone, until somebody means him too.

use exec_tests::TestServer;
use serde_json::json;

use super::{Marker, contained, start};

/// Leaves somebody behind in a session of his own, and one that stayed in the group, and exits.
const LEAVES_TWO: &str = "setsid sleep 1000 >/dev/null 2>&1 & sleep 1001 >/dev/null 2>&1 & echo ready";

contained! {
    [memory stdio websocket]
    async fn a_plain_terminate_behind_the_close_touches_nobody(server: &TestServer) {
        let mut peer = server.session().await;
        let marker = Marker::new();
        start(&mut peer, marker.script("p", LEAVES_TWO)).await;
        peer.output_until_closed("p").await;
        marker.count(2).await;
        let left = marker.alive();
        for _ in 0..2 {
            let answer = peer.call("process/terminate", json!({"processId": "p"})).await;
            assert_eq!(answer, json!({"running": false, "endReason": "exited"}));
        }
        // What it does not do cannot be waited for; a process that ran after it has had its signals.
        peer.run(marker.script("q", "exit 0")).await;
        assert_eq!(marker.alive(), left);
        peer.call("session/close", json!({})).await;
        assert_eq!(marker.alive(), []);
        peer.finish().await;
    }

    [memory stdio]
    async fn a_terminate_with_a_grace_of_its_own_ends_them(server: &TestServer) {
        let mut peer = server.session().await;
        let marker = Marker::new();
        start(&mut peer, marker.script("p", LEAVES_TWO)).await;
        peer.output_until_closed("p").await;
        marker.count(2).await;
        peer.call("process/terminate", json!({"processId": "p", "graceMs": 5_000})).await;
        marker.extinct().await;
        peer.finish().await;
    }

    [memory]
    async fn who_ignores_the_polite_signal_is_killed_after_it(server: &TestServer) {
        let mut peer = server.session().await;
        let marker = Marker::new();
        let deaf = "(trap '' TERM; exec setsid sleep 1000) >/dev/null 2>&1 & echo ready";
        start(&mut peer, marker.script("p", deaf)).await;
        peer.output_until_closed("p").await;
        marker.count(1).await;
        peer.call("process/terminate", json!({"processId": "p", "graceMs": 100})).await;
        marker.extinct().await;
        peer.finish().await;
    }

    [memory]
    async fn they_end_with_the_session_also_when_their_process_is_forgotten(server: &TestServer) {
        let mut peer = server.session().await;
        let marker = Marker::new();
        start(&mut peer, marker.script("p", LEAVES_TWO)).await;
        peer.output_until_closed("p").await;
        marker.count(2).await;
        let forgotten = peer.call("process/forget", json!({"processId": "p"})).await;
        assert_eq!(forgotten, json!({"forgotten": true}));
        assert_eq!(marker.alive().len(), 2);
        peer.call("session/close", json!({})).await;
        assert_eq!(marker.alive(), []);
        peer.finish().await;
    }

    [memory websocket]
    async fn they_end_with_the_connection_if_the_process_was_to(server: &TestServer) {
        let mut peer = server.session().await;
        let marker = Marker::new();
        let mut params = marker.script("p", LEAVES_TWO);
        params["onDisconnect"] = json!("kill");
        start(&mut peer, params).await;
        peer.output_until_closed("p").await;
        marker.count(2).await;
        peer.hang_up();
        marker.extinct().await;
    }
}
