//! `timeoutMs`: how long a process may run.

use exec_protocol::process::EndReason;
use exec_tests::{Peer, TestServer, Wire, on_every_wire};
use serde_json::json;

use super::{LONG_MS, run};
use crate::commands::{on_pipes, with};
use crate::records::record;

/// How long a process runs that races its timeout, in milliseconds.
const RUNTIME_MS: u64 = 20;

/// How often a timeout races the exit.
const ROUNDS: u32 = 100;

/// How often in a server that shares the machine with the test.
const FEWER_ROUNDS: u32 = 50;

on_every_wire! {
    async fn a_timeout_keeps_what_was_said_and_asks_politely_first(peer: &mut Peer) {
        let params = with(on_pipes("p", ["last-words"]), json!({"timeoutMs": 1000}));
        let (transcript, end) = run(peer, params).await;
        assert_eq!(transcript.text(), "ready\nbye\n");
        assert_eq!(end, (7, EndReason::Timeout, None));
        let record = record(peer, "p").await;
        let lived = record.exited_at_ms.expect("it has") - record.started_at_ms;
        assert!(lived >= 990, "after {lived} ms");
    }

    async fn who_ignores_it_is_killed_after_its_grace(peer: &mut Peer) {
        let times = json!({"timeoutMs": 1000, "graceMs": 200});
        let (transcript, end) = run(peer, with(on_pipes("p", ["ignore-term"]), times)).await;
        assert_eq!((transcript.text().as_str(), end), ("ready\n", (137, EndReason::Timeout, None)));
        let record = record(peer, "p").await;
        let lived = record.exited_at_ms.expect("it has") - record.started_at_ms;
        assert!(lived >= 1190, "after {lived} ms");
        assert_eq!(record.signal.as_deref(), Some("SIGKILL"));
    }

    async fn no_time_at_all_is_refused_and_a_long_one_is_for_ever(peer: &mut Peer) {
        for field in ["timeoutMs", "idleTimeoutMs"] {
            for bad in [json!(0), json!(-1), json!("1"), json!(1.5)] {
                let error = peer.refused("process/start", with(on_pipes("p", ["exit", "0"]), json!({field: bad}))).await;
                assert_eq!((error.code, &error.data.kind[..]), (-32602, "invalidParams"), "{field}: {bad}");
                assert_eq!(error.data.field.as_deref(), Some(field));
            }
            for good in [json!(null), json!(LONG_MS), json!(u64::MAX)] {
                let (_, end) = run(peer, with(on_pipes(&format!("{field} {good}"), ["exit", "0"]), json!({field: good}))).await;
                assert_eq!(end, (0, EndReason::Exited, None), "{field}: {good}");
            }
        }
    }

    async fn a_timeout_that_races_the_exit_gives_one_reason(server: &TestServer) {
        let mut peer = server.session().await;
        let rounds = if server.wire == Wire::Memory { FEWER_ROUNDS } else { ROUNDS };
        let (mut exited, mut timed_out, mut timeout_ms) = (0, 0, RUNTIME_MS);
        for round in 0..rounds {
            let id = format!("p{round}");
            let params = on_pipes(&id, ["hold-pipe-grandchild", &RUNTIME_MS.to_string(), "done"]);
            // A second exit or close would be one too many for the transcript.
            let (transcript, (code, reason, ended_by)) = run(&mut peer, with(params, json!({"timeoutMs": timeout_ms}))).await;
            assert_eq!(ended_by, None);
            let signal = transcript.exit.as_ref().unwrap().signal.as_deref();
            // The next one takes aim at where this one's end was.
            let step = 1 + timeout_ms / 10;
            match (code, signal, reason) {
                (0, None, EndReason::Exited) => {
                    exited += 1;
                    timeout_ms = timeout_ms.saturating_sub(step).max(1);
                }
                // It may have exited when its time was over, and nobody knew yet.
                (143, Some("SIGTERM"), EndReason::Timeout) | (0, None, EndReason::Timeout) => {
                    timed_out += 1;
                    timeout_ms += step;
                }
                other => panic!("round {round}, {timeout_ms} ms: {other:?}"),
            }
            assert!(code != 0 || transcript.text() == "done\n", "{:?}", transcript.text());
        }
        assert!(exited > 0 && timed_out > 0, "{exited} exited, {timed_out} timed out");
        peer.finish().await;
    }
}
