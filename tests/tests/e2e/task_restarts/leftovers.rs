//! Nobody is left of an earlier server's tasks when the next one says or begins anything.

use std::io::Write as _;

use exec_protocol::process::Containment;
use exec_protocol::task::TaskState;
use exec_tests::{Marker, Options, TestServer, Wire};
use serde_json::json;

use super::{StateDir, ended, get, output, script, submit, was_lost};

/// Runs a tree that holds a lock, kills the server, and looks for the tree from outside and from the next task.
async fn is_gone_before_anything_is_told_or_run(wire: Wire, containment: Containment) {
    let state = StateDir::new();
    let marker = Marker::new();
    let options = Options {
        containment: Some(containment),
        ..state.options()
    };
    let server = TestServer::start_with(wire, options.clone()).await;
    let mut peer = server.session().await;
    peer.call("task/lanes", json!({"lane": "l", "maxParallel": 1}))
        .await;
    let lock = state.beside("lock");
    // One that is alone in its session, one whose parent is gone too, and one that does not listen.
    let tree = format!(
        "exec 9>{lock}; flock 9; setsid sleep 1000 & (setsid sleep 1001 &); trap '' HUP TERM; sleep 1002 & wait"
    );
    let mut first = marker.on(script("first", &tree));
    first["lane"] = json!("l");
    submit(&mut peer, first).await;
    let second = format!("exec 9>{lock}; flock -n 9 && echo free || echo held");
    let mut second = script("second", &second);
    second["lane"] = json!("l");
    submit(&mut peer, second).await;
    marker.running(4).await;
    server.crash().await;
    peer.hang_up();

    let server = TestServer::start_with(wire, options).await;
    let mut peer = server.session().await;
    let record = get(&mut peer, "first").await;
    assert_eq!(marker.processes(), [], "with {containment:?}");
    assert!(was_lost(&record), "{record:?}");
    assert_eq!(ended(&mut peer, "second").await.state, TaskState::Completed);
    assert_eq!(output(&mut peer, "second", 1, 0).await.0, b"free\n");
    peer.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn in_process_groups() {
    is_gone_before_anything_is_told_or_run(Wire::Websocket, Containment::Group).await;
    is_gone_before_anything_is_told_or_run(Wire::Stdio, Containment::Group).await;
}

#[tokio::test]
async fn under_supervisors() {
    is_gone_before_anything_is_told_or_run(Wire::Websocket, Containment::Supervisor).await;
    is_gone_before_anything_is_told_or_run(Wire::Stdio, Containment::Supervisor).await;
}

#[tokio::test]
async fn in_control_groups() {
    let server = TestServer::start(Wire::Memory).await;
    let mut peer = server.connect().await;
    let strongest = peer.handshake().await.containment;
    peer.finish().await;
    server.finish().await;
    if strongest != Some(Containment::Cgroup) {
        let _ = writeln!(
            std::io::stderr(),
            "skipped: there are no control groups to be had here"
        );
        return;
    }
    is_gone_before_anything_is_told_or_run(Wire::Websocket, Containment::Cgroup).await;
}
