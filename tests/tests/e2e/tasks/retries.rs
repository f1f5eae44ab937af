//! Further attempts: by a policy, and because somebody asks.

use exec_protocol::process::EndReason;
use exec_protocol::task::TaskState;
use exec_tests::{Peer, on_every_wire_with_tasks};
use serde_json::{Value, json};

use super::{LONG_MS, end, is_refused, kill, record_when, said, script, task};
use crate::commands::with;

fn retry(max_attempts: u32, backoff_ms: u64, on: &[&str]) -> Value {
    json!({"retry": {"maxAttempts": max_attempts, "backoffMs": backoff_ms, "on": on}})
}

on_every_wire_with_tasks! {
    async fn one_that_fails_is_tried_again_until_it_succeeds(peer: &mut Peer) {
        let directory = tempfile::tempdir().unwrap();
        let count = directory.path().join("count");
        let file = count.display();
        let fails = format!("echo x >>{file}; n=$(wc -l <{file}); echo attempt $n; [ $n -ge 3 ]");
        let record = peer.run_task(with(script("t", &fails), retry(5, 50, &["failure"]))).await;
        assert_eq!(end(&record), (TaskState::Completed, Some(EndReason::Exited), Some(0)));
        let states: Vec<_> = record.attempts.iter().map(|attempt| (attempt.attempt, attempt.state)).collect();
        assert_eq!(states, [(1, TaskState::Failed), (2, TaskState::Failed), (3, TaskState::Completed)]);
        assert_eq!(record.attempt_count, 3);
        // Twice as long before each.
        let pauses: Vec<_> = record.attempts.windows(2).map(|pair| pair[1].started_at_ms - pair[0].ended_at_ms.unwrap()).collect();
        assert!(pauses[0] >= 45 && pauses[1] >= 95, "{pauses:?}");
        // Each has its own output.
        for attempt in 1..=3 {
            let log = peer.task_log(json!({"taskId": "t", "attempt": attempt})).await;
            assert_eq!(log.parts[0].text.as_deref(), Some(format!("attempt {attempt}\n").as_str()));
        }
        assert_eq!(said(peer, "t").await, "attempt 3\n");
        is_refused(peer, "task/logs", json!({"taskId": "t", "attempt": 4}), "unknownTask").await;
    }

    async fn there_are_no_more_attempts_than_that(peer: &mut Peer) {
        let record = peer.run_task(with(task("t", ["exit", "4"]), retry(3, 0, &["failure"]))).await;
        assert_eq!(end(&record), (TaskState::Failed, Some(EndReason::Exited), Some(4)));
        assert_eq!(record.attempt_count, 3);
        let record = peer.run_task(with(json!({"argv": ["/no/such"]}), retry(2, 0, &["failure"]))).await;
        assert_eq!((record.attempt_count, record.end_reason), (2, Some(EndReason::StartFailed)));
    }

    async fn between_attempts_it_waits_for_its_time(peer: &mut Peer) {
        peer.submit(with(task("t", ["exit", "1"]), retry(2, LONG_MS, &["failure"]))).await;
        let waiting = record_when(peer, "t", |record| record.state == TaskState::Queued).await;
        assert_eq!((waiting.attempt_count, waiting.position, waiting.ended_at_ms), (1, Some(1), None));
        let attempt = &waiting.attempts[0];
        let not_before = waiting.not_before_ms.expect("it waits for its time");
        assert!(not_before >= attempt.ended_at_ms.unwrap() + LONG_MS - 20, "{waiting:?}");
        is_refused(peer, "task/retry", json!({"taskId": "t"}), "taskNotEnded").await;
        // Nobody is told of an end that is none.
        assert_eq!(peer.call("task/notices", json!({})).await, json!({"notices": [], "more": 0}));
        let stop = peer.call("task/stop", json!({"taskId": "t"})).await;
        assert_eq!((&stop["stopped"], &stop["task"]["endReason"]), (&json!(true), &json!("cancelled")));
        assert_eq!(peer.task("t").await.attempt_count, 1);
    }

    async fn a_stop_is_the_end_of_it(peer: &mut Peer) {
        peer.submit(with(task("t", ["never-read"]), retry(5, 0, &["failure", "timeout", "interrupted"]))).await;
        peer.task_says("t", "ready").await;
        let record = kill(peer, "t").await;
        assert_eq!((record.state, record.attempt_count), (TaskState::Stopped, 1));
    }

    async fn a_policy_is_about_the_ends_that_it_names(peer: &mut Peer) {
        let times_out = |id| with(task(id, ["never-read"]), json!({"timeoutMs": 100, "graceMs": 0}));
        for (id, params, on, attempts) in [
            ("timeout", times_out("timeout"), "timeout", 2),
            ("timeout-of-failure", times_out("timeout-of-failure"), "failure", 1),
            ("failure-of-timeout", task("failure-of-timeout", ["exit", "1"]), "timeout", 1),
            ("signal", task("signal", ["die", "15"]), "failure", 2),
            ("success", task("success", ["exit", "0"]), "failure", 1),
        ] {
            let record = peer.run_task(with(params, retry(2, 0, &[on]))).await;
            assert_eq!(record.attempt_count, attempts, "{id}");
        }
    }

    async fn somebody_can_ask_for_another_attempt(peer: &mut Peer) {
        peer.run_task(script("t", "echo one; exit 1")).await;
        let record = peer.call("task/retry", json!({"taskId": "t"})).await;
        assert_eq!(record["attemptCount"], 2);
        let record = peer.ended_task("t").await;
        assert_eq!((record.attempt_count, record.state), (2, TaskState::Failed));
        // Also of one that was cancelled before it ran.
        peer.call("task/lanes", json!({"lane": "l", "maxParallel": 0})).await;
        peer.submit(with(task("u", ["exit", "0"]), json!({"lane": "l"}))).await;
        peer.call("task/stop", json!({"taskId": "u"})).await;
        let record = peer.call("task/retry", json!({"taskId": "u"})).await;
        assert_eq!((&record["state"], &record["endReason"], &record["endedBy"]), (&json!("queued"), &Value::Null, &Value::Null));
        peer.call("task/lanes", json!({"lane": "l", "maxParallel": 1})).await;
        assert_eq!(peer.ended_task("u").await.state, TaskState::Completed);
    }

    async fn one_that_has_not_ended_is_not_tried_again(peer: &mut Peer) {
        peer.submit(task("t", ["never-read"])).await;
        is_refused(peer, "task/retry", json!({"taskId": "t"}), "taskNotEnded").await;
        kill(peer, "t").await;
        is_refused(peer, "task/retry", json!({"taskId": "none"}), "unknownTask").await;
    }

    async fn a_record_tells_the_last_20_attempts(peer: &mut Peer) {
        let record = peer.run_task(with(task("t", ["exit", "1"]), retry(23, 0, &["failure"]))).await;
        let numbers: Vec<_> = record.attempts.iter().map(|attempt| attempt.attempt).collect();
        assert_eq!((record.attempt_count, numbers), (23, (4..=23).collect()));
    }
}
