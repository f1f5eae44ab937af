//! What ran when the server died was interrupted, and is run again only if somebody wants it to be.

use exec_protocol::process::EndReason;
use exec_protocol::task::{TaskRecord, TaskState};
use exec_tests::{Peer, Wire};
use serde_json::json;

use super::{StateDir, ended, get, lines_of, made, notices, script, submit, was_lost};

/// A task that says that it began, and stays until there is a file `go`.
fn waiting(state: &StateDir, task: &str) -> serde_json::Value {
    let (began, go) = (state.beside(task), state.beside("go"));
    script(
        task,
        &format!("echo $EXEC_TASK_SERVER >>{began}; echo began; until [ -e {go} ]; do sleep 0.05; done"),
    )
}

/// Submits it, waits until it has begun, and kills the server.
async fn interrupt(state: &StateDir, wire: Wire, params: serde_json::Value) {
    let server = state.server(wire).await;
    let mut peer = server.session().await;
    let task = submit(&mut peer, params).await;
    made(&state.beside(&task)).await;
    server.crash().await;
    peer.hang_up();
}

/// Where the states of its attempts have come to.
fn states(record: &TaskRecord) -> Vec<TaskState> {
    record.attempts.iter().map(|attempt| attempt.state).collect()
}

async fn stays_interrupted_until_it_is_tried_again(wire: Wire) {
    let state = StateDir::new();
    interrupt(&state, wire, waiting(&state, "t")).await;
    let server = state.server(wire).await;
    let mut peer = server.session().await;
    let record = get(&mut peer, "t").await;
    assert!(was_lost(&record), "{record:?}");
    assert_eq!((record.attempt_count, record.exit_code), (1, None));
    assert_eq!(record.attempts[0].end_reason, Some(EndReason::ServerLost));
    assert!(record.ended_at_ms >= record.started_at_ms, "{record:?}");
    let told = notices(&mut peer).await;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].attempt, told[0].state), (1, TaskState::Interrupted));

    std::fs::write(state.beside("go"), "").unwrap();
    peer.call("task/retry", json!({"taskId": "t"})).await;
    let record = ended(&mut peer, "t").await;
    assert_eq!(states(&record), [TaskState::Interrupted, TaskState::Completed]);
    assert_eq!(record.end_reason, Some(EndReason::Exited));
    let told = notices(&mut peer).await;
    assert_eq!(told.last().map(|notice| notice.attempt), Some(2));
    let servers = lines_of(&state.beside("t"));
    assert!(servers.len() == 2 && servers[0] != servers[1], "{servers:?}");
    peer.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn without_a_policy_it_stays_interrupted_until_it_is_tried_again_on_websocket() {
    stays_interrupted_until_it_is_tried_again(Wire::Websocket).await;
}

#[tokio::test]
async fn without_a_policy_it_stays_interrupted_until_it_is_tried_again_on_stdio() {
    stays_interrupted_until_it_is_tried_again(Wire::Stdio).await;
}

#[tokio::test]
async fn a_policy_for_failures_is_none_for_interruptions() {
    let state = StateDir::new();
    let mut params = waiting(&state, "t");
    params["retry"] = json!({"maxAttempts": 5, "on": ["failure", "timeout"]});
    interrupt(&state, Wire::Websocket, params).await;
    let server = state.server(Wire::Websocket).await;
    let mut peer = server.session().await;
    let record = get(&mut peer, "t").await;
    assert!(was_lost(&record), "{record:?}");
    peer.finish().await;
    server.finish().await;
}

/// A task that is to be tried again when it is interrupted.
fn persistent(state: &StateDir, max_attempts: u32) -> serde_json::Value {
    let mut params = waiting(state, "t");
    params["retry"] = json!({"maxAttempts": max_attempts, "on": ["interrupted"]});
    params
}

async fn began_again(state: &StateDir, peer: &mut Peer, times: usize) {
    let path = state.beside("t");
    exec_tests::wait::until("it has begun again", || lines_of(&path).len() == times).await;
    assert_eq!(notices(peer).await, [], "it has not ended");
}

#[tokio::test]
async fn with_a_policy_for_it_another_attempt_is_made_by_the_next_server() {
    let state = StateDir::new();
    interrupt(&state, Wire::Websocket, persistent(&state, 2)).await;
    let server = state.server(Wire::Websocket).await;
    let mut peer = server.session().await;
    began_again(&state, &mut peer, 2).await;
    std::fs::write(state.beside("go"), "").unwrap();
    let record = ended(&mut peer, "t").await;
    assert_eq!(states(&record), [TaskState::Interrupted, TaskState::Completed]);
    assert_eq!(notices(&mut peer).await.len(), 1);
    peer.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn the_last_attempt_of_a_policy_stays_interrupted() {
    let state = StateDir::new();
    interrupt(&state, Wire::Websocket, persistent(&state, 2)).await;
    let server = state.server(Wire::Websocket).await;
    let mut peer = server.session().await;
    began_again(&state, &mut peer, 2).await;
    server.crash().await;
    peer.hang_up();
    let server = state.server(Wire::Websocket).await;
    let mut peer = server.session().await;
    let record = get(&mut peer, "t").await;
    assert!(was_lost(&record), "{record:?}");
    assert_eq!(states(&record), [TaskState::Interrupted, TaskState::Interrupted]);
    assert_eq!(notices(&mut peer).await.len(), 1);
    assert_eq!(lines_of(&state.beside("t")).len(), 2);
    peer.finish().await;
    server.finish().await;
}
