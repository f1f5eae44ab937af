//! The output of all processes together has its bounds, and they are kept before anything is started.

use exec_protocol::ErrorKind;
use exec_protocol::initialize::Notifications;
use exec_server::Config;
use exec_server::limits::{RETAIN_BYTES, output_memory};
use exec_tests::{Peer, TestServer, on_wires};
use serde_json::{Value, json};

use super::Marker;
use crate::commands::{on_pipes, with, with_stdin};

/// What an ended process has said, in bytes; less than a run may take, more than a rounding.
const SAID: usize = 500_000;

/// What there is beside one running process, in bytes: the room for one that has said that, and not for two.
const BESIDE: usize = 800_000;

/// A server with so much memory for output.
fn server(output_memory: usize) -> TestServer {
    TestServer::embedded(Config {
        output_memory,
        ..Config::default()
    })
}

/// Checks that there is no room for this start.
async fn no_room(peer: &mut Peer, params: Value) {
    let error = peer.refused("process/start", params).await;
    assert_eq!(
        (error.code, error.data.kind.as_str()),
        (-32603, "memoryLimit"),
        "{error:?}"
    );
}

/// What was said by a process that can still be read; None if it is not known any more.
async fn said(peer: &mut Peer, process_id: &str) -> Option<u64> {
    let read = json!({"processId": process_id, "maxBytes": 0});
    match peer.try_call("process/read", read).await {
        Ok(state) => Some(
            state["endOffset"].as_u64().expect("a number") - state["firstOffset"].as_u64().expect("a number"),
        ),
        Err(error) => {
            let is_gone = matches!(
                error.kind(),
                Some(ErrorKind::ExpiredProcess | ErrorKind::UnknownProcess)
            );
            assert!(is_gone, "{error:?}");
            None
        }
    }
}

async fn run(peer: &mut Peer, process_id: &str) {
    let transcript = peer.run(on_pipes(process_id, ["emit", &SAID.to_string()])).await;
    assert_eq!((transcript.stdout.len(), transcript.exit_code), (SAID, Some(0)));
}

async fn end(peer: &mut Peer, process_id: &str) {
    peer.call("process/closeStdin", json!({"processId": process_id}))
        .await;
    peer.output_until_closed(process_id).await;
}

#[tokio::test]
async fn a_start_whose_output_has_no_room_is_refused_until_another_has_ended() {
    let server = server(2 * output_memory(RETAIN_BYTES) + 1000);
    let mut peer = server.session().await;
    for id in ["1", "2"] {
        peer.start(with_stdin(id, ["echo"])).await;
    }
    no_room(&mut peer, with_stdin("3", ["echo"])).await;
    // Not even a little, and another session does not have more.
    no_room(
        &mut peer,
        with(with_stdin("3", ["echo"]), json!({"retainBytes": 1})),
    )
    .await;
    let mut other = server.session().await;
    no_room(&mut other, with_stdin("3", ["echo"])).await;
    // Who runs goes on.
    assert_eq!(peer.write("1", "still there").await, "accepted");
    peer.output_until("1", "still there").await;
    end(&mut peer, "1").await;
    other.start(with_stdin("3", ["echo"])).await;
    no_room(&mut peer, with_stdin("4", ["echo"])).await;
    end(&mut peer, "2").await;
    end(&mut other, "3").await;
    for peer in [peer, other] {
        peer.finish().await;
    }
    server.finish().await;
}

#[tokio::test]
async fn ended_processes_are_given_up_for_a_start_oldest_first() {
    let server = server(output_memory(RETAIN_BYTES) + BESIDE);
    let mut peer = server.session().await;
    run(&mut peer, "oldest").await;
    run(&mut peer, "newer").await;
    assert_eq!(
        said(&mut peer, "oldest").await,
        Some(SAID as u64),
        "there was room for both"
    );
    assert_eq!(said(&mut peer, "newer").await, Some(SAID as u64));
    // That the oldest was looked at last makes it no newer.
    said(&mut peer, "oldest").await;
    peer.start(with_stdin("running", ["echo"])).await;
    assert_eq!(said(&mut peer, "oldest").await, None);
    assert_eq!(said(&mut peer, "newer").await, Some(SAID as u64));
    // Whoever runs is never given up, and nobody for a start that does not fit all the same.
    no_room(&mut peer, with_stdin("another", ["echo"])).await;
    assert_eq!(said(&mut peer, "running").await, Some(0));
    assert_eq!(said(&mut peer, "newer").await, Some(SAID as u64));
    end(&mut peer, "running").await;
    // The name is free.
    run(&mut peer, "oldest").await;
    assert_eq!(said(&mut peer, "oldest").await, Some(SAID as u64));
    peer.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn who_was_not_told_of_the_end_loses_nothing_to_a_start() {
    // With what the one has said there is no room for another.
    let server = server(output_memory(RETAIN_BYTES) + SAID / 2);
    let mut peer = server.session_to_be_told(Notifications::None).await;
    peer.start(on_pipes("untold", ["emit", &SAID.to_string()])).await;
    // Whether it runs or has ended: nobody was told yet.
    no_room(&mut peer, with_stdin("p", ["echo"])).await;
    let read = json!({"processId": "untold", "waitMs": 60_000});
    let mut state = peer.call("process/read", read.clone()).await;
    while state["closed"] != true {
        let mut next = read.clone();
        next["afterSeq"] = json!(state["nextSeq"].as_u64().expect("a number") - 1);
        state = peer.call("process/read", next).await;
    }
    peer.start(with_stdin("p", ["echo"])).await;
    assert_eq!(said(&mut peer, "untold").await, None);
    peer.call("process/closeStdin", json!({"processId": "p"})).await;
    peer.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn nobody_is_given_up_for_a_name_that_is_taken() {
    let server = server(output_memory(RETAIN_BYTES) + BESIDE);
    let mut peer = server.session().await;
    run(&mut peer, "oldest").await;
    run(&mut peer, "newer").await;
    let error = peer.refused("process/start", with_stdin("newer", ["echo"])).await;
    assert_eq!(error.kind(), Some(ErrorKind::DuplicateProcess));
    assert_eq!(said(&mut peer, "oldest").await, Some(SAID as u64));
    peer.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn what_can_never_have_room_is_refused_and_starts_nothing() {
    let cap = output_memory(RETAIN_BYTES) + BESIDE;
    let server = server(cap);
    let mut peer = server.session().await;
    run(&mut peer, "ended").await;
    let marker = Marker::new();
    for retain_bytes in [json!(cap), json!(cap * 2), json!(u64::MAX)] {
        let params = marker.on(with(
            on_pipes("p", ["never-read"]),
            json!({"retainBytes": retain_bytes}),
        ));
        no_room(&mut peer, params).await;
        marker.ended().await;
        assert_eq!(said(&mut peer, "p").await, None);
    }
    assert_eq!(
        said(&mut peer, "ended").await,
        Some(SAID as u64),
        "it was given up for nothing"
    );
    run(&mut peer, "p").await;
    peer.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn the_cap_is_told() {
    for cap in [1 << 20, 123_456_789] {
        let server = server(cap);
        let mut peer = server.connect().await;
        let limits = peer.handshake().await.limits.expect("they are told");
        assert_eq!(limits.output_memory_bytes, cap as u64);
        assert_eq!(limits.retain_bytes, RETAIN_BYTES as u64);
        peer.finish().await;
        server.finish().await;
    }
}

on_wires! {
    [stdio, websocket]
    async fn a_server_of_its_own_has_a_cap_as_well(server: &TestServer) {
        let mut peer = server.connect().await;
        let cap = peer.handshake().await.limits.expect("they are told").output_memory_bytes;
        no_room(&mut peer, with(on_pipes("p", ["exit", "0"]), json!({"retainBytes": cap}))).await;
        assert_eq!(peer.run(on_pipes("p", ["exit", "0"])).await.exit_code, Some(0));
        peer.finish().await;
    }
}
