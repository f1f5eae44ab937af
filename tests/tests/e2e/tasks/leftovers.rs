//! The end of a task is the end of whoever it started, and of nobody else.

use exec_protocol::task::TaskState;
use exec_tests::{Marker, Peer, fixture, on_every_wire_with_tasks};
use serde_json::{Value, json};

use super::{kill, record_when, script, task};
use crate::commands::with;

/// Leaves somebody behind in a session of its own, who holds none of our streams.
fn leaves_somebody(id: &str, then: &str) -> Value {
    let fixture = fixture::path();
    script(
        id,
        &format!("setsid {fixture} ignore-term >/dev/null 2>&1 </dev/null & {then}"),
    )
}

/// What is forgotten as soon as it can be, in bytes, and how often.
const FORGOTTEN_BYTES: u64 = 900_000;
const FORGOTTEN: usize = 20;

on_every_wire_with_tasks! {
    async fn a_process_that_somebody_forgets_is_kept_in_the_log_all_the_same(peer: &mut Peer) {
        for round in 0..FORGOTTEN {
            let id = format!("t{round}");
            peer.submit(task(&id, ["emit", &FORGOTTEN_BYTES.to_string()])).await;
            let started = record_when(peer, &id, |record| record.attempts.iter().any(|attempt| attempt.uid.is_some())).await;
            let uid = &started.attempts[0].uid;
            while peer.call("process/forget", json!({"uid": uid})).await["forgotten"] == false
                && !peer.task(&id).await.state.is_ended()
            {}
            let ended = peer.ended_task(&id).await;
            assert_eq!(ended.attempts[0].log.end_offset, FORGOTTEN_BYTES, "round {round}");
        }
    }

    async fn what_it_leaves_behind_ends_with_it(peer: &mut Peer) {
        let (marker, other) = (Marker::new(), Marker::new());
        peer.submit(other.on(task("other", ["never-read"]))).await;
        peer.task_says("other", "ready").await;
        let params = with(leaves_somebody("t", "exit 3"), json!({"graceMs": 100}));
        let record = peer.run_task(marker.on(params)).await;
        assert_eq!((record.state, record.exit_code), (TaskState::Failed, Some(3)));
        // It has not settled before.
        assert_eq!(marker.processes(), []);
        assert_eq!(other.processes().len(), 1);
        assert_eq!(peer.task("other").await.state, TaskState::Running);
        kill(peer, "other").await;
        other.ended().await;
    }

    async fn a_stop_ends_all_of_it(peer: &mut Peer) {
        let marker = Marker::new();
        let then = format!("exec {} ignore-term", fixture::path());
        peer.submit(marker.on(leaves_somebody("t", &then))).await;
        marker.running(2).await;
        peer.task_says("t", "ready").await;
        let record = kill(peer, "t").await;
        assert_eq!(record.state, TaskState::Stopped);
        assert_eq!(marker.processes(), []);
    }

    async fn who_holds_its_output_is_ended_too(peer: &mut Peer) {
        let marker = Marker::new();
        let params = with(task("t", ["hold-pipe", "100000", "late"]), json!({"graceMs": 100}));
        peer.submit(marker.on(params)).await;
        peer.task_says("t", "leader").await;
        let record = kill(peer, "t").await;
        assert!(record.state.is_ended(), "{record:?}");
        assert_eq!(marker.processes(), []);
    }
}
