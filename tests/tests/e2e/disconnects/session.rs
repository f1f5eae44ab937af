//! `onDisconnect: session`, which is the default.

use std::time::Duration;

use exec_tests::wait::until;
use exec_tests::{Marker, TestServer, on_wires};
use serde_json::json;
use tokio::time::sleep;

use super::{SHORT_LIVED, on_both};
use crate::commands::{on_pipes, with, with_stdin};

/// Connections that are lost behind a start.
const LOST: u32 = 200;

/// The longest time that one of them lives behind it: about as long as a start takes.
const LONGEST_MICROS: u32 = 4000;

on_wires! {
    [memory, websocket]
    async fn a_process_is_kept_for_whoever_takes_its_session_up(server: &TestServer) {
        for more in [json!({}), json!({"onDisconnect": "session"}), json!({"onDisconnect": null})] {
            let marker = Marker::new();
            let mut peer = server.connect().await;
            let session_id = peer.handshake().await.session_id;
            peer.start(marker.on(with(with_stdin("p", ["echo"]), more))).await;
            peer.hang_up();
            let mut peer = server.connect().await;
            peer.resume(&session_id).await;
            assert_eq!(peer.write("p", "still here\n").await, "accepted");
            peer.output_until("p", "still here\n").await;
            peer.terminate("p").await;
            peer.finish().await;
        }
    }

    [memory, websocket]
    async fn what_it_is_cannot_be_anything(server: &TestServer) {
        let mut peer = server.session().await;
        for bad in [json!("stay"), json!(true)] {
            let error = peer.refused("process/start", with(on_pipes("p", ["exit", "0"]), json!({"onDisconnect": bad}))).await;
            assert_eq!((error.code, error.data.field.as_deref()), (-32602, Some("onDisconnect")));
        }
        peer.finish().await;
    }

    [memory, websocket]
    async fn of_a_connection_that_is_lost_behind_a_start_no_process_is_forgotten(server: &TestServer) {
        let marker = Marker::new();
        let mut peer = server.connect().await;
        let session_id = peer.handshake().await.session_id;
        let mut random = 0x9e37_79b9_u32;
        for round in 0..LOST {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            peer.request("process/start", marker.on(on_pipes(&format!("p{round}"), ["never-read"]))).await;
            // When the connection is lost is what the test is about.
            sleep(Duration::from_micros((random % LONGEST_MICROS).into())).await;
            peer.hang_up();
            peer = server.connect().await;
            peer.resume_silently(&session_id).await;
        }
        // Each is in the session, or there is none: of a start that never was read, for example.
        let list = peer.call("process/list", json!({"state": "running"})).await;
        let mut known: Vec<u64> = list["records"].as_array().unwrap().iter().map(|record| record["pid"].as_u64().unwrap()).collect();
        known.sort_unstable();
        until("nobody runs but those that are listed", || {
            let mut running: Vec<u64> = marker.processes().iter().map(|process| process.pid.into()).collect();
            running.sort_unstable();
            running == known
        })
        .await;
        peer.call("session/close", json!({})).await;
        assert_eq!(marker.processes(), []);
        peer.finish().await;
    }
}

#[tokio::test]
async fn when_the_session_is_over_its_processes_are_too() {
    on_both(SHORT_LIVED, async |server| {
        let marker = Marker::new();
        let mut peer = server.connect().await;
        let session_id = peer.handshake().await.session_id;
        peer.start(marker.on(with(on_pipes("p", ["ignore-term"]), json!({"graceMs": 100}))))
            .await;
        peer.output_until("p", "ready").await;
        peer.hang_up();
        marker.ended().await;
        let mut peer = server.connect().await;
        let resume = json!({"clientName": "t", "resumeSessionId": session_id});
        assert_eq!(
            peer.refused("initialize", resume).await.data.kind,
            "unknownSession"
        );
        peer.finish().await;
    })
    .await;
}
