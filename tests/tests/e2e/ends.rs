//! How processes end: by themselves, because somebody asked, or because a time was over.

mod drain;
mod idle;
mod left_behind;
mod reasons;
mod terminate;
mod timeouts;

use exec_protocol::process::EndReason;
use exec_tests::{Peer, Transcript};
use serde_json::{Value, json};

use crate::records::record;

/// What no wait of a test comes near, in milliseconds.
const LONG_MS: u64 = 600_000;

/// Why it ended, and by whose wish, as the exit told it. The record must say the same.
async fn end(peer: &mut Peer, transcript: &Transcript) -> (i32, EndReason, Option<String>) {
    let exit = transcript.exit.clone().expect("the exit was told");
    let reason = exit.end_reason.expect("it is told why");
    let record = record(peer, exit.process_id.as_str()).await;
    assert_eq!(
        (record.end_reason, &record.ended_by),
        (Some(reason), &exit.ended_by)
    );
    assert_eq!(record.exit_code, Some(exit.exit_code));
    (exit.exit_code, reason, exit.ended_by)
}

/// Runs a process to its close and says how it ended.
async fn run(peer: &mut Peer, params: Value) -> (Transcript, (i32, EndReason, Option<String>)) {
    let transcript = peer.run(params).await;
    let end = end(peer, &transcript).await;
    (transcript, end)
}

async fn terminate(peer: &mut Peer, process_id: &str, more: Value) -> Value {
    let params = crate::commands::with(json!({"processId": process_id}), more);
    peer.call("process/terminate", params).await
}
