//! How tasks end, and what is known of it.

use exec_protocol::process::EndReason;
use exec_protocol::task::TaskState;
use exec_tests::{Peer, on_every_wire_with_tasks};
use serde_json::json;

use super::{LONG_MS, end, kill, said, script, task};
use crate::commands::with;
use crate::records::now_ms;

/// Checks that these moments follow each other, as far as clocks do.
fn in_order(moments: &[u64]) {
    let is_so = moments.windows(2).all(|pair| pair[0] <= pair[1] + 20);
    assert!(is_so, "not in order: {moments:?}");
}

on_every_wire_with_tasks! {
    async fn code_0_is_completed_and_another_is_failed(peer: &mut Peer) {
        let record = peer.run_task(task("zero", ["exit", "0"])).await;
        assert_eq!(end(&record), (TaskState::Completed, Some(EndReason::Exited), Some(0)));
        assert_eq!((&record.signal, &record.ended_by), (&None, &None));
        let record = peer.run_task(task("seven", ["exit", "7"])).await;
        assert_eq!(end(&record), (TaskState::Failed, Some(EndReason::Exited), Some(7)));
    }

    async fn one_that_dies_of_a_signal_has_failed_and_the_signal_is_told(peer: &mut Peer) {
        let record = peer.run_task(task("t", ["die", "9"])).await;
        assert_eq!(end(&record), (TaskState::Failed, Some(EndReason::Signaled), Some(137)));
        assert_eq!((record.signal.as_deref(), &record.ended_by), (Some("SIGKILL"), &None));
    }

    async fn one_that_runs_too_long_has_failed(peer: &mut Peer) {
        let record = peer.run_task(with(task("t", ["last-words"]), json!({"timeoutMs": 500}))).await;
        assert_eq!((record.state, record.end_reason), (TaskState::Failed, Some(EndReason::Timeout)));
        let attempt = &record.attempts[0];
        let took = attempt.ended_at_ms.unwrap() - attempt.started_at_ms;
        assert!(took >= 480, "{took} ms");
    }

    async fn one_that_is_silent_for_too_long_has_failed(peer: &mut Peer) {
        let record = peer.run_task(with(task("t", ["never-read"]), json!({"idleTimeoutMs": 500}))).await;
        assert_eq!((record.state, record.end_reason), (TaskState::Failed, Some(EndReason::IdleTimeout)));
        // One that speaks is not.
        let speaks = "for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.2; done";
        let record = peer.run_task(with(script("speaks", speaks), json!({"idleTimeoutMs": 10_000}))).await;
        assert_eq!(record.state, TaskState::Completed);
    }

    async fn stop_asks_politely_and_says_who_asked(peer: &mut Peer) {
        peer.submit(with(task("t", ["last-words"]), json!({"graceMs": LONG_MS}))).await;
        peer.task_says("t", "ready").await;
        let stop = peer.call("task/stop", json!({"taskId": "t"})).await;
        assert_eq!((&stop["stopped"], &stop["task"]["taskId"]), (&json!(true), &json!("t")));
        let record = peer.ended_task("t").await;
        assert_eq!(end(&record), (TaskState::Stopped, Some(EndReason::Terminated), Some(7)));
        assert_eq!(record.ended_by.as_deref(), Some("exec-tests"));
        assert_eq!(said(peer, "t").await, "ready\nbye\n");
        let again = peer.call("task/stop", json!({"taskId": "t"})).await;
        assert_eq!((&again["stopped"], &again["task"]["state"]), (&json!(false), &json!("stopped")));
    }

    async fn stop_without_grace_kills_one_that_does_not_want_to_end(peer: &mut Peer) {
        peer.submit(with(task("t", ["ignore-term"]), json!({"graceMs": LONG_MS}))).await;
        peer.task_says("t", "ready").await;
        let record = kill(peer, "t").await;
        assert_eq!(end(&record), (TaskState::Stopped, Some(EndReason::Terminated), Some(137)));
        assert_eq!(record.signal.as_deref(), Some("SIGKILL"));
        // A second wish can be more urgent than the first.
        peer.submit(with(task("u", ["ignore-term"]), json!({"graceMs": LONG_MS}))).await;
        peer.task_says("u", "ready").await;
        peer.call("task/stop", json!({"taskId": "u"})).await;
        assert_eq!(kill(peer, "u").await.state, TaskState::Stopped);
    }

    async fn one_that_is_stopped_as_soon_as_it_is_submitted_ends(peer: &mut Peer) {
        for round in 0..20 {
            let id = format!("t{round}");
            let submit = peer.request("task/submit", task(&id, ["never-read"])).await;
            let stop = peer.request("task/stop", json!({"taskId": id, "graceMs": 0})).await;
            peer.response(submit).await.expect("it is taken on");
            match peer.response(stop).await {
                Ok(_) => {}
                Err(error) => {
                    assert_eq!(error.data.kind, "unknownTask", "requests may overtake each other");
                    kill(peer, &id).await;
                }
            }
            let record = peer.ended_task(&id).await;
            assert_eq!(record.state, TaskState::Stopped, "{record:?}");
        }
    }

    async fn one_that_waits_is_cancelled(peer: &mut Peer) {
        peer.call("task/lanes", json!({"lane": "l", "maxParallel": 0})).await;
        peer.submit(with(task("t", ["exit", "0"]), json!({"lane": "l"}))).await;
        let stop = peer.call("task/stop", json!({"taskId": "t"})).await;
        assert_eq!((&stop["stopped"], &stop["task"]["state"]), (&json!(true), &json!("stopped")));
        let record = peer.ended_task("t").await;
        assert_eq!(end(&record), (TaskState::Stopped, Some(EndReason::Cancelled), None));
        assert_eq!((record.attempt_count, record.attempts.len(), record.position), (0, 0, None));
        assert_eq!(record.ended_by.as_deref(), Some("exec-tests"));
        assert_eq!(record.started_at_ms, None);
        // It does not run when there is room.
        peer.call("task/lanes", json!({"lane": "l", "maxParallel": 1})).await;
        peer.run_task(with(task("u", ["exit", "0"]), json!({"lane": "l"}))).await;
        assert_eq!(peer.task("t").await.attempt_count, 0);
    }

    async fn the_record_says_when_and_how_much(peer: &mut Peer) {
        let before = now_ms();
        let params = with(script("t", "printf 12345; printf 123 >&2; read go; printf 6"), json!({"pipeStdin": true}));
        let submitted = peer.submit(params).await;
        assert_eq!(submitted.state, TaskState::Running);
        peer.task_says("t", "12345").await;
        let running = peer.task("t").await;
        assert_eq!((running.ended_at_ms, running.end_reason, running.exit_code), (None, None, None));
        peer.call("task/write", json!({"taskId": "t", "chunk": "Cg=="})).await;
        let record = peer.ended_task("t").await;
        let attempt = &record.attempts[0];
        assert_eq!((attempt.bytes.stdout, attempt.bytes.stderr, attempt.bytes.pty), (6, 3, 0));
        assert_eq!((attempt.log.first_offset, attempt.log.end_offset), (0, 9));
        assert!((3..=9).contains(&attempt.last_seq), "{attempt:?}");
        assert_eq!((attempt.attempt, attempt.state, attempt.exit_code), (1, TaskState::Completed, Some(0)));
        assert_eq!(record.started_at_ms, Some(attempt.started_at_ms));
        assert_eq!(record.ended_at_ms, attempt.ended_at_ms);
        let last_output = attempt.last_output_at_ms.expect("it has spoken");
        in_order(&[before, record.submitted_at_ms, attempt.started_at_ms, last_output, now_ms()]);
        in_order(&[attempt.started_at_ms, record.ended_at_ms.unwrap(), now_ms()]);
    }
}
