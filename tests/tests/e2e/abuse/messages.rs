//! Messages that are no longer than they may be, and nothing else is right with them: each gets a typed refusal.

use exec_server::limits::MAX_MESSAGE_BYTES;
use exec_tests::{Peer, fixture};
use serde_json::{Value, json};

use super::raw::Raw;
use super::{NOISE_KIB, on_raw_wires};

const MILLION: usize = 1_000_000;

/// Checks that a message is refused like this, and that it was not paid for with much more than its length.
async fn is_refused(raw: &mut Raw, text: &str, kind: &str, id: Value) {
    let before = raw.server.status_kib("VmHWM").expect("it runs");
    raw.send_text(text).await;
    let answer = raw.next().await;
    assert_eq!(
        (&answer["error"]["data"]["kind"], &answer["id"]),
        (&json!(kind), &id),
        "{answer}"
    );
    let most = 8 * (text.len() as u64 >> 10) + NOISE_KIB;
    let grown = raw
        .server
        .status_kib("VmHWM")
        .expect("it runs")
        .saturating_sub(before);
    assert!(
        grown <= most,
        "{grown} KiB for a message of {} bytes, {most} at most",
        text.len()
    );
    let length = answer.to_string().len();
    assert!(length < 8 << 10, "the refusal has {length} bytes");
}

on_raw_wires! {
    async fn what_is_too_much_of_something_is_refused_by_its_name(raw: &mut Raw, other: Option<&mut Peer>) {
        let invalid = "invalidRequest";
        let long_id = "x".repeat(64 << 10);
        is_refused(raw, &format!(r#"{{"id":"{long_id}","method":"server/info"}}"#), invalid, Value::Null).await;
        let digits = "7".repeat(MILLION);
        is_refused(raw, &format!(r#"{{"id":{digits},"method":"server/info"}}"#), invalid, Value::Null).await;
        let megabyte = "x".repeat(MILLION);
        for method in ["process/get", "process/read", "process/terminate"] {
            let named = format!(r#"{{"id":1,"method":"{method}","params":{{"processId":"{megabyte}"}}}}"#);
            is_refused(raw, &named, "invalidParams", json!(1)).await;
        }
        is_refused(raw, &format!(r#"{{"id":1,"method":"{megabyte}"}}"#), "methodNotFound", json!(1)).await;
        is_refused(raw, &"[".repeat(MILLION), "parseError", Value::Null).await;
        is_refused(raw, &"{\"a\":".repeat(MILLION), "parseError", Value::Null).await;
        is_refused(raw, &format!("\"{}\"", "x".repeat(MAX_MESSAGE_BYTES - 2)), invalid, Value::Null).await;
        let members: Vec<_> = (0..MILLION).map(|number| format!(r#""m{number}":1,"#)).collect();
        let members = members.concat();
        is_refused(raw, &format!(r#"{{{members}"id":1}}"#), invalid, json!(1)).await;
        let _ = other;
    }

    async fn notes_that_nobody_keeps_are_not_built(raw: &mut Raw, other: Option<&mut Peer>) {
        // Each of these numbers would take sixteen times its text, whose message is there twice.
        let notes = vec!["0"; MILLION].join(",");
        let argv = json!(fixture::argv(["exit", "0"]));
        let before = raw.server.status_kib("VmHWM").expect("it runs");
        for member in ["metadata", "sandbox"] {
            raw.send_text(&format!(r#"{{"id":1,"method":"process/start","params":{{"processId":"p","argv":{argv},"{member}":[{notes}]}}}}"#)).await;
            let answer = raw.next().await;
            match member {
                "metadata" => assert!(answer["result"].is_object(), "{answer}"),
                _ => assert_eq!((&answer["error"]["data"]["kind"], &answer["error"]["data"]["field"]), (&json!("invalidParams"), &json!(member))),
            }
        }
        let grown = raw.server.status_kib("VmHWM").expect("it runs").saturating_sub(before);
        assert!(grown <= 8 * (notes.len() as u64 >> 10) + NOISE_KIB, "{grown} KiB for notes of {} bytes", notes.len());
        let _ = other;
    }
}
