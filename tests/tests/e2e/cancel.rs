//! `$/cancelRequest`: requests that are taken back.

use exec_tests::{Peer, base64, on_every_wire};
use serde_json::{Value, json};

use crate::commands::with_stdin;
use crate::witness;

/// A wait that nobody waits for.
const LONG_MS: u64 = 60_000;

/// Requests of which some are taken back while others are answered.
const MANY: u64 = 200;

fn waiting(id: &str) -> String {
    let params = json!({"processId": witness::NAME, "afterSeq": 0, "waitMs": LONG_MS});
    format!(r#"{{"id": {id}, "method": "process/read", "params": {params}}}"#)
}

fn cancel(id: &str) -> String {
    format!(r#"{{"method": "$/cancelRequest", "params": {{"id": {id}}}}}"#)
}

fn value(id: &str) -> Value {
    serde_json::from_str(id).expect("it is JSON")
}

async fn is_cancelled(peer: &mut Peer, id: &str) {
    let error = peer.response(value(id)).await.expect_err("it was taken back");
    assert_eq!((error.code, &error.data.kind[..]), (-32800, "cancelled"), "{id}");
}

on_every_wire! {
    async fn a_read_that_waits_is_answered_once_and_the_process_goes_on(peer: &mut Peer) {
        witness::start(peer).await;
        for id in ["7", "-1", "0", "1.50", "1e3", r#""text""#, r#""""#, r#""ü \" 7""#, "123456789012345678901234567890"] {
            peer.send_text(waiting(id)).await;
            // It waits when this is answered.
            peer.call("environment/info", json!({})).await;
            peer.send_text(cancel(id)).await;
            // A second one finds nothing, or there would be an answer that nobody claims.
            peer.send_text(cancel(id)).await;
            is_cancelled(peer, id).await;
        }
        witness::answers(peer, "still here").await;
        witness::end(peer).await;
    }

    async fn one_that_is_pipelined_behind_the_request_takes_it_back(peer: &mut Peer) {
        witness::start(peer).await;
        let ids: Vec<String> = (0..MANY).map(|n| format!("\"{n}\"")).collect();
        for id in &ids {
            peer.send_text(waiting(id)).await;
            peer.send_text(cancel(id)).await;
        }
        for id in &ids {
            is_cancelled(peer, id).await;
        }
        witness::end(peer).await;
    }

    async fn only_the_one_that_is_named_is_taken_back(peer: &mut Peer) {
        witness::start(peer).await;
        for id in ["7", r#""7""#, "8"] {
            peer.send_text(waiting(id)).await;
        }
        for id in [r#""7""#, "70", r#""none""#] {
            peer.send_text(cancel(id)).await;
        }
        is_cancelled(peer, r#""7""#).await;
        witness::answers(peer, "something").await;
        for id in ["7", "8"] {
            let answer = peer.response(value(id)).await.expect("it was not taken back");
            assert_eq!(answer["chunks"].as_array().map(Vec::len), Some(1), "{answer}");
        }
        witness::end(peer).await;
    }

    async fn what_is_answered_already_is_not_answered_again(peer: &mut Peer) {
        witness::start(peer).await;
        let info = peer.request("environment/info", json!({})).await;
        peer.response(info).await.expect("it is answered");
        peer.send_text(cancel(&info.to_string())).await;
        witness::answers(peer, "still here").await;
        // There is something to read: it does not wait.
        peer.send_text(waiting("\"read\"")).await;
        peer.send_text(cancel("\"read\"")).await;
        peer.response("read").await.expect("it had no need to wait");
        witness::end(peer).await;
    }

    async fn bad_ones_are_ignored(peer: &mut Peer) {
        witness::start(peer).await;
        peer.send_text(waiting("7")).await;
        for params in ["{}", r#"{"id": null}"#, r#"{"id": {}}"#, r#"{"id": [7]}"#, "[7]", "null", r#"{"requestId": 7}"#] {
            peer.send_text(format!(r#"{{"method": "$/cancelRequest", "params": {params}}}"#)).await;
        }
        peer.send_text(r#"{"method": "$/cancelRequest"}"#).await;
        witness::answers(peer, "still here").await;
        peer.response(7).await.expect("it was not taken back");
        witness::end(peer).await;
    }

    async fn what_changes_something_is_not_taken_back(peer: &mut Peer) {
        let start = peer.request("process/start", with_stdin("p", ["echo"])).await;
        peer.notify("$/cancelRequest", json!({"id": start})).await;
        peer.response(start).await.expect("it is started");
        for method in ["process/write", "process/closeStdin"] {
            let request = peer.request(method, json!({"processId": "p", "chunk": base64("text")})).await;
            peer.notify("$/cancelRequest", json!({"id": request})).await;
            peer.response(request).await.expect("it is carried out");
        }
        let transcript = peer.output_until_closed("p").await;
        assert_eq!((transcript.text().as_str(), transcript.exit_code), ("text", Some(0)));
    }

    async fn an_element_of_a_batch_can_be_taken_back(peer: &mut Peer) {
        witness::start(peer).await;
        let info = r#"{"id": "info", "method": "environment/info"}"#;
        peer.send_text(format!("[{}, {info}, {}]", waiting("1"), waiting("2"))).await;
        // The array is answered when its last element is.
        peer.call("environment/info", json!({})).await;
        peer.send_text(cancel("2")).await;
        peer.send_text(cancel("1")).await;
        let batch = peer.claim("the answer to the batch", Value::is_array).await;
        let kinds: Vec<_> = batch.as_array().unwrap().iter().map(|answer| (&answer["id"], &answer["error"]["data"]["kind"])).collect();
        let cancelled = json!("cancelled");
        assert_eq!(kinds, [(&json!(1), &cancelled), (&json!("info"), &Value::Null), (&json!(2), &cancelled)]);
        // And one from within the same batch.
        peer.send_text(format!("[{}, {}]", waiting("3"), cancel("3"))).await;
        let batch = peer.claim("the answer to the batch", Value::is_array).await;
        assert_eq!((batch.as_array().unwrap().len(), &batch[0]["error"]["code"]), (1, &json!(-32800)));
        witness::end(peer).await;
    }

    async fn each_of_many_is_answered_once_though_it_is_woken_as_it_is_taken_back(peer: &mut Peer) {
        witness::start(peer).await;
        let ids: Vec<String> = (0..MANY).map(|n| format!("\"{n}\"")).collect();
        for id in &ids {
            peer.send_text(waiting(id)).await;
        }
        let write = json!({"processId": witness::NAME, "chunk": base64("wake up\n")});
        let write = peer.request("process/write", write).await;
        for id in &ids {
            peer.send_text(cancel(id)).await;
        }
        for id in &ids {
            if let Err(error) = peer.response(value(id)).await {
                assert_eq!(error.code, -32800, "{error:?}");
            }
        }
        peer.response(write).await.expect("it is carried out");
        peer.output_until(witness::NAME, "wake up\n").await;
        witness::answers(peer, "still here").await;
        witness::end(peer).await;
    }
}
