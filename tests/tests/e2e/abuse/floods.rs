//! Clients that say much and want no answer.

use std::time::Duration;

use exec_tests::wait::until;
use exec_tests::{Peer, base64, fixture};
use serde_json::{Value, json};

use super::raw::Raw;
use super::{assert_grown_within, is_answered, on_raw_wires};

/// Longer than what one turn of a connection takes, many times.
const NOTICES: usize = 100_000;

/// What a server has worked that has begun with a batch, and is far from its end.
const BEGUN: Duration = Duration::from_millis(50);

/// Sends all of it, while another connection is served, and looks whether anything is left of it.
async fn passes_by(raw: &mut Raw, other: Option<&mut Peer>, flood: &[u8]) {
    let before = raw.server.anonymous_kib();
    let sending = raw.send(flood);
    match other {
        Some(other) => drop(tokio::join!(sending, is_answered(other))),
        None => sending.await,
    }
    assert!(raw.call("environment/info", json!({})).await["result"].is_object());
    assert_grown_within(raw.server, before, 0);
}

on_raw_wires! {
    async fn acknowledgements_and_cancels_of_nothing_cost_nothing(raw: &mut Raw, other: Option<&mut Peer>) {
        raw.start(json!({"processId": "p", "argv": fixture::argv(["never-read"])})).await;
        let texts = [
            r#"{"method":"process/ack","params":{"processId":"p","seq":1}}"#,
            r#"{"method":"process/ack","params":{"processId":"unknown","seq":18446744073709551615}}"#,
            r#"{"method":"$/cancelRequest","params":{"id":"unknown"}}"#,
            r#"{"method":"no/such/notification"}"#,
        ];
        let notices: Vec<_> = texts.iter().map(|text| raw.message(text)).collect();
        let flood = notices.concat().repeat(NOTICES / notices.len());
        passes_by(raw, other, &flood).await;
    }

    async fn writes_that_a_child_does_not_read_are_refused_and_not_kept(raw: &mut Raw, other: Option<&mut Peer>) {
        const WRITES: usize = 500;
        raw.start(json!({"processId": "p", "argv": fixture::argv(["never-read"]), "pipeStdin": true})).await;
        let before = raw.server.anonymous_kib();
        let chunk = base64(vec![b'x'; 64 << 10]);
        let write = raw.message(&json!({"id": 1, "method": "process/write", "params": {"processId": "p", "chunk": chunk}}).to_string());
        let answers = raw.exchange(&write.repeat(WRITES), WRITES).await;
        let refused = answers.iter().filter(|answer| answer.contains("stdinFull")).count();
        assert!((WRITES - 40..WRITES).contains(&refused), "{refused} of {WRITES} writes were refused");
        // The queue, and one write beside it.
        assert_grown_within(raw.server, before, 2 << 10);
        if let Some(other) = other {
            is_answered(other).await;
        }
    }

    async fn a_batch_that_takes_its_time_gives_way_between_its_elements(raw: &mut Raw, other: Option<&mut Peer>) {
        // Each of them makes an automaton, which takes milliseconds; the last one is refused, which is counted.
        const WAITS: usize = 999;
        raw.start(json!({"processId": "p", "argv": fixture::argv(["never-read"])})).await;
        let wait = |id| json!({"id": id, "method": "process/wait", "params": {"processIds": ["p"], "until": {"kind": "pattern", "regex": "[0-9a-f]{500}"}}});
        let refused = json!({"id": "last", "method": "x"});
        let batch: Vec<_> = (0..WAITS).map(wait).chain([refused]).collect();
        let worked = raw.worked();
        raw.send_text(&json!(batch).to_string()).await;
        if let Some(other) = other {
            until("the server has begun", || raw.worked() > worked + BEGUN).await;
            for _ in 0..3 {
                let stats = other.call("server/stats", Value::Null).await;
                assert_eq!(stats["requests"]["errors"], json!({}), "the others come behind all of it");
            }
        }
        let answers = raw.next().await;
        assert_eq!(answers.as_array().map(Vec::len), Some(WAITS + 1));
        assert!(answers[WAITS]["error"].is_object(), "{}", answers[WAITS]);
    }
}
