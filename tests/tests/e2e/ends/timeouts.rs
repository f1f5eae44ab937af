//! `timeoutMs`: how long a process may run.

use std::time::Duration;

use exec_protocol::process::EndReason;
use exec_tests::{Peer, TestServer, Wire, on_every_wire};
use serde_json::json;
use tokio::time::Instant;

use super::{LONG_MS, run};
use crate::commands::{on_pipes, with};
use crate::records::record;

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
        let began = Instant::now();
        for n in 0..5 {
            peer.run(on_pipes(&format!("warm-up {n}"), ["exit", "0"])).await;
        }
        let usual = began.elapsed() / 5;
        let (mut exited, mut timed_out) = (0, 0);
        for round in 0..rounds {
            // From half of the usual time to one and a half.
            let timeout = (usual / 2 + usual * round / rounds).max(Duration::from_millis(1));
            let timeout_ms = u64::try_from(timeout.as_millis()).unwrap();
            let params = with(on_pipes(&format!("p{round}"), ["exit", "3"]), json!({"timeoutMs": timeout_ms}));
            // A second exit or close would be one too many for the transcript.
            let (transcript, (code, reason, ended_by)) = run(&mut peer, params).await;
            assert_eq!(ended_by, None);
            let signal = transcript.exit.unwrap().signal;
            match (code, signal.as_deref(), reason) {
                (3, None, EndReason::Exited) => exited += 1,
                // Its time was over when it was about to exit, or had, and nobody knew yet.
                (143, Some("SIGTERM"), EndReason::Timeout) | (3, None, EndReason::Timeout) => timed_out += 1,
                other => panic!("round {round}, {timeout_ms} ms: {other:?}"),
            }
        }
        assert_eq!(exited + timed_out, rounds);
        peer.finish().await;
    }
}
