//! Many tasks at once.

use std::fs;
use std::path::{Path, PathBuf};

use exec_protocol::task::TaskState;
use exec_tests::{Marker, Peer, TestServer, on_wires_with_tasks};
use serde_json::{Value, json};

use super::{kill, script, task};
use crate::commands::with;

/// Tasks of the crowd.
const MANY: usize = 500;

/// How many of them run at a time.
const PARALLEL: usize = 4;

fn name(number: usize) -> String {
    format!("t{number:03}")
}

/// A task of the crowd: it says into a file when it begins and when it ends.
fn member(number: usize, file: &Path, group: &str) -> Value {
    let file = file.display();
    let line = format!("echo \"+ $EXEC_TASK_ID\" >>{file}; sleep 0.01; echo \"- $EXEC_TASK_ID\" >>{file}");
    with(
        script(&name(number), &line),
        json!({"group": group, "lane": "crowd"}),
    )
}

async fn submit_all(peer: &mut Peer, file: &Path) {
    peer.call("task/lanes", json!({"lane": "crowd", "maxParallel": PARALLEL}))
        .await;
    for number in 0..MANY {
        peer.submit(member(number, file, "g")).await;
    }
}

fn file_in(directory: &tempfile::TempDir) -> PathBuf {
    directory.path().join("events")
}

/// Waits until all of the group have ended, however long that takes.
async fn wait_for_all(peer: &mut Peer) {
    loop {
        let params = json!({"group": "g", "mode": "any", "waitMs": 20_000});
        let result = peer.call("task/wait", params).await;
        if result["pending"] == json!([]) {
            return;
        }
        assert_eq!(result["timedOut"], false, "none of them ends");
    }
}

on_wires_with_tasks! {
    [websocket]
    async fn of_500_never_more_run_than_may_and_each_has_its_turn_in_order(peer: &mut Peer) {
        let directory = tempfile::tempdir().unwrap();
        let file = file_in(&directory);
        submit_all(peer, &file).await;
        wait_for_all(peer).await;
        let summary = peer.call("task/summary", json!({"group": "g"})).await;
        assert_eq!(summary["counts"]["completed"], MANY);
        let (mut running, mut most) = (Vec::new(), 0);
        for line in fs::read_to_string(&file).unwrap().lines() {
            let (what, id) = line.split_once(' ').unwrap();
            if what == "+" {
                running.push(id.to_owned());
            } else {
                running.retain(|other| other != id);
            }
            most = most.max(running.len());
        }
        assert_eq!(running, [""; 0], "they have not ended");
        assert!((2..=PARALLEL).contains(&most), "{most} at a time");
        // What has its turn first need not come first to its first line; its record says.
        let mut attempts = Vec::new();
        for number in 0..MANY {
            let record = peer.task(&name(number)).await;
            assert_eq!((record.state, record.attempt_count), (TaskState::Completed, 1));
            attempts.push(record.started_at_ms.unwrap());
        }
        assert!(attempts.is_sorted(), "not in the order of submission");
    }

    [websocket]
    async fn a_group_that_is_stopped_in_the_middle_leaves_nobody_and_nobody_is_told(server: &TestServer) {
        let mut peer = server.session().await;
        let (marker, other) = (Marker::new(), Marker::new());
        peer.submit(with(other.on(task("other", ["never-read"])), json!({"group": "h"}))).await;
        peer.call("task/lanes", json!({"lane": "crowd", "maxParallel": PARALLEL})).await;
        for number in 0..MANY {
            let stubborn = marker.on(task(&name(number), ["ignore-term"]));
            peer.submit(with(stubborn, json!({"group": "g", "parent": "c", "lane": "crowd"}))).await;
        }
        marker.running(PARALLEL).await;
        let result = peer.call("task/stopGroup", json!({"group": "g", "graceMs": 0})).await;
        assert_eq!(result, json!({"stopped": PARALLEL, "cancelled": MANY - PARALLEL}));
        // It has answered when they have ended.
        assert_eq!(marker.processes(), []);
        let summary = peer.call("task/summary", json!({"group": "g"})).await;
        assert_eq!(summary["counts"]["stopped"], MANY, "{}", summary["counts"]);
        assert_eq!(peer.call("task/notices", json!({})).await, json!({"notices": [], "more": 0}));
        assert_eq!(other.processes().len(), 1);
        let result = peer.call("task/stopGroup", json!({"group": "g"})).await;
        assert_eq!(result, json!({"stopped": 0, "cancelled": 0}));
        kill(&mut peer, "other").await;
        peer.finish().await;
    }
}
