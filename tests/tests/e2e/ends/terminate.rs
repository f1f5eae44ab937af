//! `process/terminate` with a time of its own, again and again, and too late.

use std::time::Duration;

use exec_protocol::process::EndReason;
use exec_tests::wait::promptly;
use exec_tests::{Peer, on_every_wire};
use serde_json::json;
use tokio::time::Instant;

use super::{LONG_MS, end, terminate};
use crate::commands::{on_pipes, with};

/// Wishes at once.
const MANY: usize = 100;

/// Shorter than the default, and long enough to be told from none.
const SHORT: Duration = Duration::from_millis(300);

fn short_ms() -> u64 {
    u64::try_from(SHORT.as_millis()).expect("it is short")
}

on_every_wire! {
    async fn a_hundred_pipelined_ones_end_it_once(peer: &mut Peer) {
        peer.start(on_pipes("p", ["last-words"])).await;
        peer.output_until("p", "ready").await;
        let mut requests = Vec::new();
        for _ in 0..MANY {
            requests.push(peer.request("process/terminate", json!({"processId": "p"})).await);
        }
        for request in requests {
            peer.response(request).await.expect("it is never an error");
        }
        // One exit and one close, or the transcript and the end of the test would not have it.
        let transcript = peer.output_until_closed("p").await;
        assert_eq!(end(peer, &transcript).await.0, 7);
    }

    async fn a_grace_of_0_kills_at_once(peer: &mut Peer) {
        peer.start(on_pipes("asked", ["last-words"])).await;
        peer.start(with(on_pipes("started", ["last-words"]), json!({"graceMs": 0}))).await;
        for (id, more) in [("asked", json!({"graceMs": 0})), ("started", json!({}))] {
            peer.output_until(id, "ready").await;
            assert_eq!(terminate(peer, id, more).await["running"], true);
            let transcript = promptly("the kill", peer.output_until_closed(id)).await;
            assert_eq!(transcript.text(), "ready\n", "it was not asked");
            assert_eq!(end(peer, &transcript).await, (137, EndReason::Terminated, Some("exec-tests".into())));
        }
    }

    async fn the_grace_of_the_start_is_kept(peer: &mut Peer) {
        peer.start(with(on_pipes("p", ["ignore-term"]), json!({"graceMs": short_ms()}))).await;
        peer.output_until("p", "ready").await;
        let asked = Instant::now();
        assert_eq!(peer.terminate("p").await.exit_code, Some(137));
        assert!(asked.elapsed() >= SHORT, "{:?}", asked.elapsed());
    }

    async fn the_grace_of_the_wish_goes_before_that_of_the_start(peer: &mut Peer) {
        peer.start(with(on_pipes("p", ["ignore-term"]), json!({"graceMs": LONG_MS}))).await;
        peer.output_until("p", "ready").await;
        let asked = Instant::now();
        terminate(peer, "p", json!({"graceMs": short_ms()})).await;
        assert_eq!(peer.output_until_closed("p").await.exit_code, Some(137));
        assert!(asked.elapsed() >= SHORT, "{:?}", asked.elapsed());
    }

    async fn a_later_and_longer_one_does_not_put_the_kill_off(peer: &mut Peer) {
        peer.start(on_pipes("p", ["ignore-term"])).await;
        peer.output_until("p", "ready").await;
        terminate(peer, "p", json!({"graceMs": short_ms()})).await;
        terminate(peer, "p", json!({"graceMs": LONG_MS})).await;
        assert_eq!(peer.output_until_closed("p").await.exit_code, Some(137));
    }

    async fn a_later_and_shorter_one_brings_the_kill_forward(peer: &mut Peer) {
        peer.start(with(on_pipes("p", ["ignore-term"]), json!({"graceMs": LONG_MS}))).await;
        peer.output_until("p", "ready").await;
        terminate(peer, "p", json!({})).await;
        terminate(peer, "p", json!({"graceMs": 0})).await;
        let transcript = promptly("the kill", peer.output_until_closed("p")).await;
        assert_eq!(transcript.exit_code, Some(137));
    }

    async fn behind_the_exit_it_says_why_that_was(peer: &mut Peer) {
        peer.start(on_pipes("p", ["never-read"])).await;
        peer.output_until("p", "ready").await;
        assert_eq!(terminate(peer, "p", json!({})).await, json!({"running": true}), "it runs");
        peer.exited("p").await;
        assert_eq!(terminate(peer, "p", json!({})).await, json!({"running": false, "endReason": "terminated"}));
        peer.output_until_closed("p").await;
        assert_eq!(terminate(peer, "p", json!({})).await, json!({"running": false, "endReason": "terminated"}));
        peer.run(on_pipes("q", ["exit", "0"])).await;
        assert_eq!(terminate(peer, "q", json!({})).await, json!({"running": false, "endReason": "exited"}));
        assert_eq!(terminate(peer, "none", json!({})).await, json!({"running": false}));
    }

    async fn a_grace_that_is_no_number_is_refused(peer: &mut Peer) {
        for (method, params) in [
            ("process/start", with(on_pipes("p", ["exit", "0"]), json!({"graceMs": -1}))),
            ("process/terminate", json!({"processId": "p", "graceMs": "soon"})),
        ] {
            let error = peer.refused(method, params).await;
            assert_eq!((error.code, error.data.field.as_deref()), (-32602, Some("graceMs")), "{method}");
        }
    }
}
