//! `process/read`: from a cursor, as much as asked, waiting for what is not there yet.

use std::time::Duration;

use exec_protocol::Blob;
use exec_tests::wait::promptly;
use exec_tests::{Peer, on_every_wire};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::commands::{on_pipes, with_stdin};

async fn read(peer: &mut Peer, after: u64, max_bytes: u64, wait_ms: u64) -> Value {
    peer.call("process/read", read_params(after, max_bytes, wait_ms))
        .await
}

fn read_params(after: u64, max_bytes: u64, wait_ms: u64) -> Value {
    json!({"processId": "p", "afterSeq": after, "maxBytes": max_bytes, "waitMs": wait_ms})
}

fn bytes(result: &Value) -> Vec<u8> {
    let chunks = result["chunks"].as_array().unwrap();
    let decoded = chunks
        .iter()
        .map(|chunk| Blob::from_base64(chunk["chunk"].as_str().unwrap()).unwrap().0);
    decoded.collect::<Vec<_>>().concat()
}

/// A process that has said each of these in a chunk of its own, and still runs.
async fn said(peer: &mut Peer, chunks: &[&str]) {
    peer.start(with_stdin("p", ["echo"])).await;
    for chunk in chunks {
        peer.write("p", chunk).await;
        peer.event("p").await;
    }
    assert_eq!(peer.transcript("p").last_seq, chunks.len() as u64);
}

/// How the answer to a read looks that has no chunks, of a process that has said so many bytes.
fn nothing(next_seq: u64, next_offset: u64, end_offset: u64) -> Value {
    json!({"chunks": [], "nextSeq": next_seq, "exited": false, "exitCode": null, "closed": false,
        "failure": null, "sandboxDenied": false, "nextOffset": next_offset, "firstSeq": 1, "firstOffset": 0,
        "endOffset": end_offset})
}

async fn end(peer: &mut Peer) {
    peer.call("process/closeStdin", json!({"processId": "p"})).await;
    peer.output_until_closed("p").await;
}

on_every_wire! {
    async fn a_read_gives_what_is_after_the_cursor(peer: &mut Peer) {
        said(peer, &["one", "two", "three"]).await;
        let chunk = |seq: u64, offset: u64, text: &str| {
            json!({"seq": seq, "stream": "stdout", "offset": offset, "chunk": exec_tests::base64(text)})
        };
        let all = peer.call("process/read", json!({"processId": "p"})).await;
        let mut expected = nothing(4, 11, 11);
        expected["chunks"] = json!([chunk(1, 0, "one"), chunk(2, 3, "two"), chunk(3, 6, "three")]);
        assert_eq!(all, expected);
        expected["chunks"] = json!([chunk(2, 3, "two"), chunk(3, 6, "three")]);
        assert_eq!(read(peer, 1, 1 << 20, 0).await, expected);
        assert_eq!(read(peer, 3, 1 << 20, 0).await, nothing(4, 11, 11));
        end(peer).await;
    }

    async fn a_read_gives_one_whole_chunk_whatever_it_may_give_at_most(peer: &mut Peer) {
        said(peer, &["one", "two", "three"]).await;
        let one = read(peer, 0, 1, 0).await;
        assert_eq!((bytes(&one), &one["nextSeq"]), (b"one".to_vec(), &json!(2)));
        let two = read(peer, 0, 6, 0).await;
        assert_eq!((bytes(&two), &two["nextSeq"]), (b"onetwo".to_vec(), &json!(3)));
        let two = read(peer, 0, 10, 0).await;
        assert_eq!((bytes(&two), &two["nextSeq"]), (b"onetwo".to_vec(), &json!(3)));
        assert_eq!(read(peer, 0, 0, 0).await, nothing(1, 0, 11), "0 asks for the state only");
        end(peer).await;
    }

    async fn from_one_next_seq_to_the_other_every_byte_comes_once(peer: &mut Peer) {
        peer.start(on_pipes("p", ["emit", "700000"])).await;
        let (mut after, mut all) = (0, Vec::new());
        loop {
            let result = promptly("a read", read(peer, after, 10_000, 60_000)).await;
            all.extend(bytes(&result));
            let next = result["nextSeq"].as_u64().unwrap() - 1;
            if next == after {
                assert_eq!((&result["closed"], &result["exitCode"]), (&json!(true), &json!(0)));
                break;
            }
            after = next;
        }
        let transcript = peer.output_until_closed("p").await;
        assert_eq!(transcript.stdout.len(), 700_000);
        assert!(all == transcript.stdout, "{} bytes were read", all.len());
        assert_eq!(after, transcript.last_seq);
    }

    async fn a_waiting_read_is_woken_by_output_by_the_exit_and_by_the_close(peer: &mut Peer) {
        said(peer, &["one"]).await;
        let reading = peer.request("process/read", read_params(1, 100, 60_000)).await;
        peer.write("p", "two").await;
        let result = promptly("to be woken by output", peer.response(reading)).await.unwrap();
        assert_eq!(bytes(&result), b"two");
        let reading = peer.request("process/read", read_params(2, 100, 60_000)).await;
        peer.call("process/closeStdin", json!({"processId": "p"})).await;
        let result = promptly("to be woken by the exit", peer.response(reading)).await.unwrap();
        assert_eq!((&result["exited"], &result["exitCode"]), (&json!(true), &json!(0)));
        let transcript = peer.output_until_closed("p").await;
        assert_eq!(transcript.last_seq, 4);
        // Nothing is newer than the close, so there is nothing to wait for.
        let result = promptly("a read after the close", read(peer, 4, 100, 60_000)).await;
        assert_eq!((&result["closed"], &result["chunks"], &result["nextSeq"]), (&json!(true), &json!([]), &json!(5)));
    }

    async fn a_waiting_read_is_woken_by_the_close_alone(peer: &mut Peer) {
        peer.start(crate::commands::script("p", "sleep 1000 & echo pid $!; exit 6")).await;
        assert_eq!(peer.exited("p").await, 6);
        let exit = peer.transcript("p").last_seq;
        let reading = peer.request("process/read", read_params(exit, 100, 60_000)).await;
        peer.call("process/terminate", json!({"processId": "p"})).await;
        let result = promptly("to be woken by the close", peer.response(reading)).await.unwrap();
        assert_eq!((&result["closed"], &result["chunks"]), (&json!(true), &json!([])));
        peer.output_until_closed("p").await;
    }

    async fn a_waiting_read_ends_with_nothing_when_the_time_is_over(peer: &mut Peer) {
        said(peer, &["one"]).await;
        let started = Instant::now();
        assert_eq!(read(peer, 1, 100, 150).await, nothing(2, 3, 3));
        assert!(started.elapsed() >= Duration::from_millis(150), "{:?}", started.elapsed());
        end(peer).await;
    }

    async fn a_waiting_read_does_not_hold_up_what_comes_after_it(peer: &mut Peer) {
        said(peer, &["one"]).await;
        let mut waiting = Vec::new();
        for _ in 0..100 {
            waiting.push(peer.request("process/read", read_params(1, 100, 60_000)).await);
        }
        promptly("a call behind waiting reads", peer.call("environment/info", json!({}))).await;
        peer.write("p", "two").await;
        for reading in waiting {
            assert_eq!(bytes(&peer.response(reading).await.unwrap()), b"two");
        }
        end(peer).await;
    }

    async fn a_cursor_that_was_never_told_is_refused(peer: &mut Peer) {
        said(peer, &["one"]).await;
        for (after, wait_ms) in [(2, 0), (2, 60_000), (u64::MAX, 0)] {
            let error = promptly("a refusal", peer.refused("process/read", read_params(after, 100, wait_ms))).await;
            let found = (error.code, error.data.kind.as_str(), error.data.field.as_deref());
            assert_eq!(found, (-32602, "cursorAhead", Some("afterSeq")));
        }
        end(peer).await;
    }

    async fn what_was_said_can_be_read_after_the_close(peer: &mut Peer) {
        let transcript = peer.run(on_pipes("p", ["records", "10", "both"])).await;
        let result = peer.call("process/read", json!({"processId": "p"})).await;
        assert_eq!(bytes(&result), transcript.output());
        assert_eq!(result["nextSeq"], transcript.last_seq + 1);
        assert_eq!((&result["exited"], &result["closed"]), (&json!(true), &json!(true)));
    }
}
