//! `task/*`: background work that outlives the connection it was submitted on.

mod coreutils;
mod crowd;
mod ends;
mod environment;
mod lanes;
mod leftovers;
mod logs;
mod looks;
mod news;
mod notices;
mod output_limits;
mod refusals;
mod removal;
mod restart;
mod retries;
mod stdin;
mod submit;
mod unavailable;
mod wait;

use exec_protocol::RpcError;
use exec_protocol::process::EndReason;
use exec_protocol::task::{TaskRecord, TaskState};
use exec_tests::wait::within_patience;
use exec_tests::{Peer, fixture};
use serde_json::{Value, json};

/// What no wait of a test comes near, in milliseconds.
const LONG_MS: u64 = 600_000;

/// The child under test.
fn task<const N: usize>(id: &str, arguments: [&str; N]) -> Value {
    json!({"taskId": id, "argv": fixture::argv(arguments)})
}

/// A script.
fn script(id: &str, script: &str) -> Value {
    json!({"taskId": id, "argv": ["/bin/sh", "-c", script]})
}

/// All that a task has written, as text.
async fn said(peer: &mut Peer, id: &str) -> String {
    String::from_utf8(peer.task_output(id).await).expect("it is text")
}

/// Runs a task that must complete, and returns what it has written.
async fn output_of(peer: &mut Peer, params: Value) -> String {
    let record = peer.run_task(params).await;
    assert_eq!(record.state, TaskState::Completed, "{record:?}");
    said(peer, record.task_id.as_str()).await
}

/// Asks for the record of a task until this is so of it.
async fn record_when(peer: &mut Peer, id: &str, is_so: impl Fn(&TaskRecord) -> bool) -> TaskRecord {
    let asking = async {
        loop {
            let record = peer.task(id).await;
            if is_so(&record) {
                return record;
            }
        }
    };
    within_patience("a record", asking).await
}

/// Ends a task at once, and returns its record.
async fn kill(peer: &mut Peer, id: &str) -> TaskRecord {
    peer.call("task/stop", json!({"taskId": id, "graceMs": 0})).await;
    peer.ended_task(id).await
}

/// How a task ended.
fn end(record: &TaskRecord) -> (TaskState, Option<EndReason>, Option<i32>) {
    (record.state, record.end_reason, record.exit_code)
}

/// What an error says to programs.
fn kind_and_field(error: &RpcError) -> (&str, Option<&str>) {
    (&error.data.kind, error.data.field.as_deref())
}

/// Checks that a call is refused so.
async fn is_refused(peer: &mut Peer, method: &str, params: Value, kind: &str) {
    let what = params.to_string();
    let error = peer.refused(method, params).await;
    assert_eq!(error.data.kind, kind, "{method} {what}");
}
