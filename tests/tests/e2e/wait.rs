//! `process/wait`: until something is so of one of several processes, or of all of them.

mod kinds;
mod many;
mod names;
mod params;
mod patterns;
mod traces;

use exec_tests::Peer;
use serde_json::{Value, json};

use crate::commands::{with, with_stdin};

/// How long a wait lasts that is to be woken, in milliseconds.
const LONG_MS: u64 = 60_000;

/// Params of a wait for one process that only looks.
fn look(process_id: &str, until: Value) -> Value {
    let mut params = json!({"processIds": [process_id]});
    params["until"] = until;
    params
}

/// Params of a wait for one process that is to be woken.
fn long(process_id: &str, until: Value) -> Value {
    with(look(process_id, until), json!({"waitMs": LONG_MS}))
}

fn pattern(regex: &str) -> Value {
    json!({"kind": "pattern", "regex": regex})
}

async fn wait(peer: &mut Peer, params: Value) -> Value {
    peer.call("process/wait", params).await
}

/// How an answer looks where one has fired.
fn fired(process_id: &str, kind: &str, seq: u64, offset: u64) -> Value {
    json!({
        "fired": [{"processId": process_id, "kind": kind, "seq": seq, "offset": offset}],
        "unmet": [],
        "timedOut": false,
    })
}

/// How an answer looks where a pattern was found.
fn found(process_id: &str, seq: u64, offset: u64, text: &str) -> Value {
    let mut answer = fired(process_id, "pattern", seq, offset);
    answer["fired"][0]["text"] = text.into();
    answer
}

fn unmet(process_id: &str, reason: &str) -> Value {
    json!({"fired": [], "unmet": [{"processId": process_id, "reason": reason}], "timedOut": false})
}

fn nothing() -> Value {
    json!({"fired": [], "unmet": [], "timedOut": true})
}

/// A process that repeats what is written to it.
async fn echo(peer: &mut Peer, process_id: &str) {
    peer.start(with_stdin(process_id, ["echo"])).await;
}

/// Has it say something, as a chunk of its own.
async fn say(peer: &mut Peer, process_id: &str, text: &str) {
    peer.write(process_id, text).await;
    peer.event(process_id).await;
}

async fn end(peer: &mut Peer, process_id: &str) {
    peer.call("process/closeStdin", json!({"processId": process_id}))
        .await;
    peer.output_until_closed(process_id).await;
}
