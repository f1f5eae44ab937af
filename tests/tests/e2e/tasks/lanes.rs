//! `task/lanes`, and whose turn it is.

use std::fs;
use std::path::Path;

use exec_protocol::task::{TaskRecord, TaskState};
use exec_tests::{Peer, on_every_wire_with_tasks};
use serde_json::{Value, json};

use super::{LONG_MS, is_refused, kill, kind_and_field, script, task};
use crate::commands::with;
use crate::records::now_ms;

/// Says how many of a lane may run.
async fn set_lane(peer: &mut Peer, lane: &str, max_parallel: u32) {
    peer.call("task/lanes", json!({"lane": lane, "maxParallel": max_parallel}))
        .await;
}

/// A task of a lane that writes its name into a file.
fn note(id: &str, file: &Path, priority: i32) -> Value {
    let params = script(id, &format!("echo {id} >>{}", file.display()));
    with(params, json!({"lane": "l", "priority": priority}))
}

/// Whose turns it was.
fn noted(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// The places of tasks in their lane.
async fn positions<const N: usize>(peer: &mut Peer, ids: [&str; N]) -> Vec<Option<u64>> {
    let mut positions = Vec::new();
    for id in ids {
        positions.push(peer.task(id).await.position);
    }
    positions
}

on_every_wire_with_tasks! {
    async fn there_is_a_lane_from_the_beginning_and_one_can_be_made(peer: &mut Peer) {
        let first = peer.call("task/lanes", json!({})).await;
        assert_eq!(first, json!({"lanes": [{"lane": "default", "maxParallel": 4, "running": 0, "queued": 0}]}));
        let second = peer.call("task/lanes", json!({"lane": "ci", "maxParallel": 7})).await;
        assert_eq!(second["lanes"][0], json!({"lane": "ci", "maxParallel": 7, "running": 0, "queued": 0}));
        assert_eq!(second["lanes"][1], first["lanes"][0]);
        assert_eq!(peer.call("task/lanes", json!({})).await, second);
    }

    async fn half_a_change_is_refused(peer: &mut Peer) {
        for (params, field) in [
            (json!({"lane": "l"}), "maxParallel"),
            (json!({"maxParallel": 1}), "lane"),
            (json!({"lane": "l", "maxParallel": 1001}), "maxParallel"),
        ] {
            let error = peer.refused("task/lanes", params).await;
            assert_eq!(kind_and_field(&error), ("invalidParams", Some(field)));
        }
        let lanes = peer.call("task/lanes", json!({})).await;
        assert_eq!(lanes["lanes"].as_array().map(Vec::len), Some(1));
    }

    async fn a_lane_that_nobody_made_is_there_while_it_has_tasks(peer: &mut Peer) {
        peer.submit(with(task("t", ["never-read"]), json!({"lane": "passing"}))).await;
        let lanes = peer.call("task/lanes", json!({})).await;
        assert_eq!(lanes["lanes"][1], json!({"lane": "passing", "maxParallel": 4, "running": 1, "queued": 0}));
        kill(peer, "t").await;
        let lanes = peer.call("task/lanes", json!({})).await;
        assert_eq!(lanes["lanes"].as_array().map(Vec::len), Some(1), "{lanes}");
    }

    async fn no_more_run_than_may_and_more_when_more_may(peer: &mut Peer) {
        set_lane(peer, "l", 1).await;
        for id in ["a", "b", "c"] {
            peer.submit(with(task(id, ["never-read"]), json!({"lane": "l"}))).await;
        }
        assert_eq!(positions(peer, ["a", "b", "c"]).await, [None, Some(1), Some(2)]);
        let lanes = peer.call("task/lanes", json!({"lane": "l", "maxParallel": 2})).await;
        let lane = lanes["lanes"].as_array().unwrap().iter().find(|lane| lane["lane"] == "l").unwrap();
        assert_eq!(lane["maxParallel"], 2);
        peer.task_says("b", "ready").await;
        assert_eq!(positions(peer, ["a", "b", "c"]).await, [None, None, Some(1)]);
        // Fewer end nobody.
        set_lane(peer, "l", 0).await;
        kill(peer, "a").await;
        assert_eq!(peer.task("b").await.state, TaskState::Running);
        assert_eq!(peer.task("c").await.state, TaskState::Queued);
        set_lane(peer, "l", 2).await;
        peer.task_says("c", "ready").await;
        kill(peer, "b").await;
        kill(peer, "c").await;
    }

    async fn lanes_do_not_wait_for_each_other(peer: &mut Peer) {
        set_lane(peer, "closed", 0).await;
        peer.submit(with(task("t", ["exit", "0"]), json!({"lane": "closed"}))).await;
        let record = peer.run_task(with(task("u", ["exit", "0"]), json!({"lane": "open"}))).await;
        assert_eq!(record.state, TaskState::Completed);
        assert_eq!(peer.task("t").await.state, TaskState::Queued);
    }

    async fn turns_go_by_priority_and_then_by_submission(peer: &mut Peer) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("turns");
        set_lane(peer, "l", 0).await;
        for (id, priority) in [("low", -5), ("first", 0), ("second", 0), ("high", 5), ("third", 0), ("also-high", 5)] {
            peer.submit(note(id, &file, priority)).await;
        }
        let ids = ["high", "also-high", "first", "second", "third", "low"];
        let places: Vec<_> = (1..=6).map(Some).collect();
        assert_eq!(positions(peer, ids).await, places);
        set_lane(peer, "l", 1).await;
        for id in ids {
            assert_eq!(peer.ended_task(id).await.state, TaskState::Completed);
        }
        assert_eq!(noted(&file), ids);
    }

    async fn one_that_is_not_to_run_yet_waits_and_lets_others_go_first(peer: &mut Peer) {
        set_lane(peer, "l", 1).await;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("turns");
        let not_before = now_ms() + 1_500;
        let later = with(note("later", &file, 9), json!({"notBefore": not_before}));
        let record = peer.submit(later).await;
        assert_eq!((record.state, record.not_before_ms), (TaskState::Queued, Some(not_before)));
        peer.run_task(note("now", &file, 0)).await;
        let record: TaskRecord = peer.ended_task("later").await;
        assert!(record.started_at_ms.unwrap() >= not_before, "{record:?}");
        assert_eq!((record.state, record.not_before_ms), (TaskState::Completed, None));
        assert_eq!(noted(&file), ["now", "later"]);
        // A time that is over is none.
        let past = with(note("past", &file, 0), json!({"notBefore": 5}));
        assert_eq!(peer.run_task(past).await.state, TaskState::Completed);
        // One that is far away can be taken back.
        let far = with(note("far", &file, 0), json!({"notBefore": now_ms() + LONG_MS}));
        assert_eq!(peer.submit(far).await.position, Some(1));
        kill(peer, "far").await;
        assert_eq!(noted(&file), ["now", "later", "past"]);
    }

    async fn what_is_asked_of_no_task_is_refused(peer: &mut Peer) {
        for method in ["task/get", "task/stop", "task/remove", "task/retry", "task/logs"] {
            is_refused(peer, method, json!({"taskId": "none"}), "unknownTask").await;
            let error = peer.refused(method, json!({"taskId": "a b"})).await;
            assert_eq!(kind_and_field(&error).0, "invalidParams");
        }
    }
}
