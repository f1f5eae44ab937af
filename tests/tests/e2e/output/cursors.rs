//! What a cursor makes of news, and where it may stand.

use std::time::Duration;

use exec_protocol::process::{ReadParams, ReadResult};
use exec_protocol::{Blob, Seq};
use exec_tests::wait::promptly;
use exec_tests::{Peer, on_every_wire};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{LONG_MS, after_offset, read};
use crate::commands::{script, with_stdin};

/// Exits at once, but somebody holds its output. It says seven bytes in one chunk.
const HELD: &str = "echo leader; read go; sleep 1000 & exit 6";

/// A process that has said "leader\n" and exits on a line of input.
async fn start_held(peer: &mut Peer) {
    let params = crate::commands::with(script("p", HELD), json!({"pipeStdin": true}));
    peer.start(params).await;
    peer.output_until("p", "leader\n").await;
    assert_eq!(peer.transcript("p").last_seq, 1);
}

/// Waits at the end of what it has said; with `after_seq`, for its exit and its close as well.
async fn request_at_end(peer: &mut Peer, after_seq: Option<u64>) -> u64 {
    let params = ReadParams {
        after_seq: after_seq.map(Seq),
        wait_ms: LONG_MS,
        ..after_offset("p", 7)
    };
    let params = serde_json::to_value(params).expect("params are JSON");
    peer.request("process/read", params).await
}

async fn answer(peer: &mut Peer, request: u64) -> ReadResult {
    let answer = promptly("to be woken", peer.response(request)).await;
    serde_json::from_value(answer.expect("it is no error")).expect("it is a result")
}

fn positions(answer: &ReadResult) -> Value {
    json!([
        answer.next_seq,
        answer.next_offset,
        answer.first_seq,
        answer.first_offset,
        answer.end_offset
    ])
}

on_every_wire! {
    async fn by_offset_alone_the_exit_is_no_news_but_the_close_is(peer: &mut Peer) {
        start_held(peer).await;
        let waiting = request_at_end(peer, None).await;
        peer.write("p", "go\n").await;
        assert_eq!(peer.exited("p").await, 6);
        // One that comes when the exit is old waits as well, and sees it when its time is up.
        let started = Instant::now();
        let late = read(peer, ReadParams { wait_ms: 100, ..after_offset("p", 7) }).await;
        assert!(started.elapsed() >= Duration::from_millis(100), "{:?}", started.elapsed());
        assert_eq!((late.exited, late.exit_code, late.closed), (true, Some(6), false));
        peer.call("process/terminate", json!({"processId": "p"})).await;
        let woken = answer(peer, waiting).await;
        assert!(woken.exited && woken.closed, "the exit has woken it: {woken:?}");
        assert_eq!(positions(&woken), json!([4, 7, 1, 0, 7]));
        peer.output_until_closed("p").await;
    }

    async fn with_a_number_beside_the_offset_exit_and_close_are_news(peer: &mut Peer) {
        start_held(peer).await;
        let for_exit = request_at_end(peer, Some(1)).await;
        peer.write("p", "go\n").await;
        let exited = answer(peer, for_exit).await;
        assert_eq!((exited.exited, exited.closed, exited.next_seq), (true, false, Seq(3)));
        assert_eq!(peer.exited("p").await, 6);
        let again = request_at_end(peer, Some(1)).await;
        assert!(answer(peer, again).await.exited, "it is news to whoever knows the output only");
        let for_close = request_at_end(peer, Some(2)).await;
        peer.call("process/terminate", json!({"processId": "p"})).await;
        let closed = answer(peer, for_close).await;
        assert_eq!((closed.exited, closed.closed, closed.next_seq), (true, true, Seq(4)));
        peer.output_until_closed("p").await;
    }

    async fn bytes_are_news_by_offset(peer: &mut Peer) {
        peer.start(with_stdin("p", ["echo"])).await;
        for (offset, text) in [(0, "one"), (3, "two"), (6, "three")] {
            let params = ReadParams { wait_ms: LONG_MS, ..after_offset("p", offset) };
            let waiting = peer.request("process/read", serde_json::to_value(params).unwrap()).await;
            peer.write("p", text).await;
            let answer = answer(peer, waiting).await;
            let chunks: Vec<_> = answer.chunks.iter().map(|chunk| (chunk.offset, chunk.chunk.clone())).collect();
            assert_eq!(chunks, [(Some(offset), Blob::from(text))]);
        }
        peer.call("process/closeStdin", json!({"processId": "p"})).await;
        peer.output_until_closed("p").await;
    }

    async fn positions_are_told_before_any_output_and_behind_it(peer: &mut Peer) {
        peer.start(with_stdin("p", ["echo"])).await;
        assert_eq!(positions(&read(peer, after_offset("p", 0)).await), json!([1, 0, 1, 0, 0]));
        peer.write("p", "one").await;
        peer.event("p").await;
        assert_eq!(positions(&read(peer, after_offset("p", 0)).await), json!([2, 3, 1, 0, 3]));
        assert_eq!(positions(&read(peer, after_offset("p", 1)).await), json!([2, 3, 1, 0, 3]));
        peer.call("process/closeStdin", json!({"processId": "p"})).await;
        peer.output_until_closed("p").await;
        assert_eq!(positions(&read(peer, after_offset("p", 3)).await), json!([4, 3, 1, 0, 3]));
    }

    async fn positions_are_told_where_there_never_was_output(peer: &mut Peer) {
        let transcript = peer.run(crate::commands::on_pipes("p", ["exit", "3"])).await;
        assert_eq!(transcript.last_seq, 2);
        // None is kept, so the oldest is what would come next.
        assert_eq!(positions(&read(peer, after_offset("p", 0)).await), json!([3, 0, 3, 0, 0]));
    }

    async fn a_cursor_beyond_the_end_is_refused_by_its_name(peer: &mut Peer) {
        peer.start(with_stdin("p", ["echo"])).await;
        peer.write("p", "one").await;
        peer.event("p").await;
        for (cursor, field) in [
            (json!({"afterSeq": 2}), "afterSeq"),
            (json!({"afterOffset": 4}), "afterOffset"),
            (json!({"afterSeq": 1, "afterOffset": 4}), "afterOffset"),
            (json!({"afterSeq": 2, "afterOffset": 3}), "afterSeq"),
            (json!({"afterOffset": u64::MAX}), "afterOffset"),
            (json!({"afterOffset": 4, "peek": true, "maxBytes": 0}), "afterOffset"),
            (json!({"afterOffset": 4, "waitMs": LONG_MS}), "afterOffset"),
        ] {
            let params = crate::commands::with(json!({"processId": "p"}), cursor.clone());
            let error = promptly("a refusal", peer.refused("process/read", params)).await;
            let found = (error.code, error.data.kind.as_str(), error.data.field.as_deref());
            assert_eq!(found, (-32602, "cursorAhead", Some(field)), "{cursor}");
        }
        peer.call("process/closeStdin", json!({"processId": "p"})).await;
        peer.output_until_closed("p").await;
    }
}
