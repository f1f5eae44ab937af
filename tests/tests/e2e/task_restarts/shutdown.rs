//! A server that leaves politely ends what runs, begins nothing, and keeps what waits.

use exec_protocol::process::EndReason;
use exec_protocol::task::TaskState;
use exec_tests::{Marker, TestServer, Wire};
use serde_json::json;

use super::{StateDir, ended, get, lines_of, made, notices, script, submit};

/// The one lane whose tasks take turns.
const LANE: &str = "one by one";

/// Submits a task that runs until it is killed, one that would follow it, and one that is tried again.
async fn populate(state: &StateDir, server: &TestServer, marker: &Marker) -> exec_tests::Peer {
    let mut peer = server.session().await;
    peer.call("task/lanes", json!({"lane": LANE, "maxParallel": 1}))
        .await;
    let (began, again, ran) = (state.beside("began"), state.beside("again"), state.beside("ran"));
    let stays =
        format!("setsid sleep 1000 & trap 'exit 9' TERM; echo >{began}; while :; do sleep 0.05; done");
    let mut running = marker.on(script("running", &stays));
    running["lane"] = json!(LANE);
    submit(&mut peer, running).await;
    made(&began).await;
    let persistent = format!("echo >>{again}; [ $(wc -l <{again}) = 2 ] || exec sleep 1000");
    let mut persistent = marker.on(script("persistent", &persistent));
    persistent["retry"] = json!({"maxAttempts": 2, "on": ["interrupted"]});
    submit(&mut peer, persistent).await;
    made(&again).await;
    let mut queued = marker.on(script("queued", &format!("echo $EXEC_TASK_SERVER >>{ran}")));
    queued["lane"] = json!(LANE);
    submit(&mut peer, queued).await;
    assert_eq!(get(&mut peer, "queued").await.state, TaskState::Queued);
    peer
}

async fn is_interrupted_by_a_polite_end(wire: Wire) {
    let state = StateDir::new();
    let marker = Marker::new();
    let server = state.server(wire).await;
    let peer = populate(&state, &server, &marker).await;
    peer.finish().await;
    server.finish().await;
    assert_eq!(marker.processes(), []);
    assert_eq!(
        lines_of(&state.beside("ran")),
        [""; 0],
        "it was begun by a server that leaves"
    );

    let server = state.server(wire).await;
    let mut peer = server.session().await;
    let record = get(&mut peer, "running").await;
    assert_eq!(record.state, TaskState::Interrupted);
    assert_eq!(record.end_reason, Some(EndReason::ServerShutdown));
    assert_eq!(record.exit_code, Some(9));
    let record = ended(&mut peer, "queued").await;
    assert_eq!((record.state, record.attempt_count), (TaskState::Completed, 1));
    assert_eq!(lines_of(&state.beside("ran")), [record.server.incarnation]);
    let record = ended(&mut peer, "persistent").await;
    assert_eq!((record.state, record.attempt_count), (TaskState::Completed, 2));
    assert_eq!(record.attempts[0].end_reason, Some(EndReason::ServerShutdown));
    let mut told: Vec<_> = notices(&mut peer)
        .await
        .into_iter()
        .map(|notice| notice.task_id.as_str().to_owned())
        .collect();
    told.sort();
    assert_eq!(told, ["persistent", "queued", "running"]);
    state.check_database();
    peer.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn what_runs_is_interrupted_and_what_waits_is_run_by_the_next_server_on_websocket() {
    is_interrupted_by_a_polite_end(Wire::Websocket).await;
}

#[tokio::test]
async fn what_runs_is_interrupted_and_what_waits_is_run_by_the_next_server_on_stdio() {
    is_interrupted_by_a_polite_end(Wire::Stdio).await;
}

#[tokio::test]
async fn what_runs_is_interrupted_and_what_waits_is_run_by_the_next_server_in_memory() {
    is_interrupted_by_a_polite_end(Wire::Memory).await;
}
