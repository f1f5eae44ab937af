//! What a server finds that begins where another one ended.

use std::path::Path;

use exec_protocol::process::EndReason;
use exec_protocol::task::TaskState;
use exec_tests::{Marker, Options, Peer, TestServer, Wire, fixture};
use serde_json::{Value, json};

use super::{end, said, script, task};
use crate::commands::with;

async fn server_in(state_dir: &Path) -> TestServer {
    let options = Options {
        state_dir: Some(state_dir.to_owned()),
        ..Options::default()
    };
    TestServer::start_with(Wire::Websocket, options).await
}

/// A task that is interrupted once, and completes in its second attempt.
fn comes_again(directory: &Path) -> Value {
    let file = directory.join("again");
    let file = file.display();
    let once = format!("echo ready; [ -e {file} ] && exit 0; touch {file}; exec sleep 1000");
    let retry = json!({"retry": {"maxAttempts": 5, "on": ["interrupted"]}});
    with(script("again", &once), retry)
}

/// Tasks of every kind.
async fn some(peer: &mut Peer, marker: &Marker, directory: &Path) {
    peer.call("task/lanes", json!({"lane": "closed", "maxParallel": 0}))
        .await;
    peer.run_task(with(script("done", "echo hello"), json!({"submitKey": "k"})))
        .await;
    peer.submit(with(script("waits", "echo late"), json!({"lane": "closed"})))
        .await;
    let fixture = fixture::path();
    let runs = format!("setsid {fixture} never-read >/dev/null 2>&1 </dev/null & exec {fixture} never-read");
    peer.submit(marker.on(script("runs", &runs))).await;
    peer.submit(comes_again(directory)).await;
    marker.running(2).await;
    for id in ["runs", "again"] {
        peer.task_says(id, "ready").await;
    }
}

/// All is as it was left, and goes on.
async fn goes_on(peer: &mut Peer, marker: &Marker, reason: EndReason) {
    let runs = peer.task("runs").await;
    assert_eq!(
        (runs.state, runs.end_reason),
        (TaskState::Interrupted, Some(reason))
    );
    assert_eq!(marker.processes(), [], "somebody is left of it");
    assert_eq!(said(peer, "runs").await, "ready\n");
    let again = peer.ended_task("again").await;
    assert_eq!((again.state, again.attempt_count), (TaskState::Completed, 2));
    assert_eq!(again.attempts[0].end_reason, Some(reason));
    let done = peer.submit(json!({"command": "exit 9", "submitKey": "k"})).await;
    assert_eq!(
        end(&done),
        (TaskState::Completed, Some(EndReason::Exited), Some(0))
    );
    assert_eq!(said(peer, "done").await, "hello\n");
    // It is this server that it waits for now.
    let waits = peer.task("waits").await;
    assert_eq!((waits.state, waits.position), (TaskState::Queued, Some(1)));
    assert_eq!(waits.server.incarnation, again.server.incarnation);
    assert_ne!(waits.server.incarnation, runs.server.incarnation);
    let lanes = peer
        .call("task/lanes", json!({"lane": "closed", "maxParallel": 1}))
        .await;
    assert_eq!(lanes["lanes"].as_array().map(Vec::len), Some(2));
    assert_eq!(peer.ended_task("waits").await.state, TaskState::Completed);
    let notices = peer.call("task/notices", json!({})).await;
    let ids: Vec<_> = notices["notices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|notice| notice["taskId"].clone())
        .collect();
    assert_eq!(json!(ids), json!(["done", "runs", "again", "waits"]));
}

#[tokio::test]
async fn what_ran_when_its_server_left_was_interrupted_and_the_rest_goes_on() {
    let (marker, directory) = (Marker::new(), tempfile::tempdir().unwrap());
    let state_dir = directory.path().join("state");
    let server = server_in(&state_dir).await;
    let mut peer = server.session().await;
    some(&mut peer, &marker, directory.path()).await;
    peer.finish().await;
    server.finish().await;
    let server = server_in(&state_dir).await;
    let mut peer = server.session().await;
    goes_on(&mut peer, &marker, EndReason::ServerShutdown).await;
    peer.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn what_ran_when_its_server_was_killed_is_ended_and_the_rest_goes_on() {
    let (marker, directory) = (Marker::new(), tempfile::tempdir().unwrap());
    let state_dir = directory.path().join("state");
    let server = server_in(&state_dir).await;
    let mut peer = server.session().await;
    some(&mut peer, &marker, directory.path()).await;
    server.crash().await;
    peer.hang_up();
    let server = server_in(&state_dir).await;
    let mut peer = server.session().await;
    goes_on(&mut peer, &marker, EndReason::ServerLost).await;
    peer.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn a_directory_is_one_servers_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let state_dir = directory.path().join("state");
    let server = server_in(&state_dir).await;
    let mut peer = server.session().await;
    peer.run_task(task("t", ["exit", "0"])).await;
    let arguments = [
        "--state-dir",
        state_dir.to_str().unwrap(),
        "--listen",
        "ws://127.0.0.1:0",
    ];
    let other = exec_tests::program::output(exec_tests::program::server(arguments), "").await;
    assert!(!other.status.success());
    let said = String::from_utf8_lossy(&other.stderr);
    assert!(said.contains("in use by another server"), "{said}");
    peer.finish().await;
    server.finish().await;
}
