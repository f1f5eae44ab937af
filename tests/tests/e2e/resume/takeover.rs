//! A session that is still attached elsewhere.

use exec_tests::{Peer, TestServer, Wire, on_wires};
use serde_json::json;

use super::Line;
use crate::witness;

/// The connection was closed because another one has the session.
async fn is_replaced(server: &TestServer, mut peer: Peer) {
    let (code, reason) = peer.hung_up().await;
    if server.wire == Wire::Websocket {
        assert_eq!(code, Some(4001));
        assert!(
            reason.is_some_and(|reason| !reason.is_empty()),
            "replaced without a reason"
        );
    }
    peer.finish().await;
}

on_wires! {
    [memory, websocket]
    async fn the_newer_connection_takes_over_and_the_older_one_is_told_why(server: &TestServer) {
        let line = Line::to(server).await;
        let (mut older, session_id) = line.open().await;
        witness::start(&mut older).await;
        witness::answers(&mut older, "older").await;
        for round in 0..5 {
            let seen = older.transcript(witness::NAME).last_seq;
            let mut newer = line.resume(&session_id).await;
            newer.follow(witness::NAME, seen);
            is_replaced(server, older).await;
            witness::answers(&mut newer, &format!("round {round}")).await;
            older = newer;
        }
        witness::end(&mut older).await;
        older.finish().await;
    }

    [memory, websocket]
    async fn the_end_of_the_older_connection_does_not_detach_the_newer_one(server: &TestServer) {
        let line = Line::to(server).await;
        let (mut older, session_id) = line.open().await;
        witness::start(&mut older).await;
        let mut newer = line.resume(&session_id).await;
        older.hang_up();
        for round in 0..10 {
            witness::answers(&mut newer, &format!("round {round}")).await;
        }
        witness::end(&mut newer).await;
        newer.finish().await;
    }

    [memory, websocket]
    async fn a_read_that_waits_on_the_older_connection_does_not_hold_up_the_newer_one(server: &TestServer) {
        let line = Line::to(server).await;
        let (mut older, session_id) = line.open().await;
        witness::start(&mut older).await;
        older.request("process/read", json!({"processId": witness::NAME, "waitMs": 60_000})).await;
        let mut newer = line.resume(&session_id).await;
        older.hung_up().await;
        older.hang_up();
        witness::answers(&mut newer, "newer").await;
        witness::end(&mut newer).await;
        newer.finish().await;
    }

    [memory, websocket]
    async fn of_two_that_resume_at_once_one_has_the_session(server: &TestServer) {
        let line = Line::to(server).await;
        let (mut older, session_id) = line.open().await;
        witness::start(&mut older).await;
        let (mut one, mut other) = (line.connect().await, line.connect().await);
        let resume = json!({"clientName": "t", "resumeSessionId": session_id});
        let (first, second) = (one.request("initialize", resume.clone()).await, other.request("initialize", resume).await);
        one.response(first).await.expect("it took over");
        other.response(second).await.expect("it took over");
        older.hung_up().await;
        older.hang_up();
        // Whichever was second has closed the other.
        let (mut winner, mut loser) = tokio::select! {
            _ = one.hung_up() => (other, one),
            _ = other.hung_up() => (one, other),
        };
        loser.hung_up().await;
        loser.hang_up();
        winner.notify("initialized", json!({})).await;
        witness::answers(&mut winner, "winner").await;
        witness::end(&mut winner).await;
        winner.finish().await;
    }
}
