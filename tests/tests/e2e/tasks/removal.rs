//! `task/remove` and `task/clean`.

use exec_protocol::task::TaskState;
use exec_tests::{Marker, Peer, TestServer, on_every_wire_with_tasks};
use serde_json::{Value, json};

use super::{LONG_MS, is_refused, script, task};
use crate::commands::with;

async fn listed(peer: &mut Peer) -> Vec<String> {
    let list = peer.call("task/list", json!({})).await;
    let records = list["records"].as_array().unwrap();
    records
        .iter()
        .map(|record| record["taskId"].as_str().unwrap().to_owned())
        .collect()
}

on_every_wire_with_tasks! {
    async fn remove_stops_one_that_runs_and_leaves_nothing(server: &TestServer) {
        let mut peer = server.session().await;
        let marker = Marker::new();
        peer.submit(marker.on(task("t", ["ignore-term"]))).await;
        peer.task_says("t", "ready").await;
        let log = server.state_dir().join("logs/t");
        assert!(log.join("1.log").exists());
        assert_eq!(peer.call("task/remove", json!({"taskId": "t", "graceMs": 0})).await, json!({"taskId": "t"}));
        assert_eq!(marker.processes(), []);
        assert!(!log.exists());
        is_refused(&mut peer, "task/get", json!({"taskId": "t"}), "unknownTask").await;
        assert_eq!(peer.call("task/notices", json!({})).await["notices"], json!([]));
        assert_eq!(listed(&mut peer).await, [""; 0]);
        peer.finish().await;
    }

    async fn remove_takes_back_one_that_waits_or_is_to_be_tried_again(peer: &mut Peer) {
        peer.call("task/lanes", json!({"lane": "closed", "maxParallel": 0})).await;
        peer.submit(with(task("waits", ["exit", "0"]), json!({"lane": "closed"}))).await;
        peer.call("task/remove", json!({"taskId": "waits"})).await;
        let retry = json!({"retry": {"maxAttempts": 9, "backoffMs": LONG_MS, "on": ["failure"]}});
        peer.submit(with(task("again", ["exit", "1"]), retry)).await;
        peer.call("task/remove", json!({"taskId": "again"})).await;
        assert_eq!(listed(peer).await, [""; 0]);
        peer.call("task/lanes", json!({"lane": "closed", "maxParallel": 1})).await;
        assert_eq!(listed(peer).await, [""; 0]);
    }

    async fn clean_deletes_ended_ones_that_are_old_and_their_output(server: &TestServer) {
        let mut peer = server.session().await;
        for (id, group) in [("a", "g"), ("b", "h")] {
            peer.run_task(with(task(id, ["emit", "5000"]), json!({"group": group}))).await;
        }
        peer.submit(with(task("runs", ["never-read"]), json!({"group": "g"}))).await;
        // They are not as old as is old by itself.
        assert_eq!(peer.call("task/clean", json!({})).await, json!({"removed": 0, "freedBytes": 0}));
        let of_group = peer.call("task/clean", json!({"group": "g", "olderThanMs": 0})).await;
        assert_eq!(of_group["removed"], 1);
        assert!(of_group["freedBytes"].as_u64().unwrap() >= 5000, "{of_group}");
        assert_eq!(listed(&mut peer).await, ["runs", "b"]);
        assert!(!server.state_dir().join("logs/a").exists());
        let rest = peer.call("task/clean", json!({"olderThanMs": 0})).await;
        assert_eq!(rest["removed"], 1);
        assert_eq!(listed(&mut peer).await, ["runs"]);
        assert_eq!(peer.task("runs").await.state, TaskState::Running);
        peer.call("task/remove", json!({"taskId": "runs", "graceMs": 0})).await;
        peer.finish().await;
    }

    async fn clean_keeps_the_latest_of_each_group(peer: &mut Peer) {
        for (id, group) in [("a1", "a"), ("b1", "b"), ("a2", "a"), ("n1", ""), ("a3", "a"), ("b2", "b"), ("n2", "")] {
            let group = if group.is_empty() { Value::Null } else { json!(group) };
            peer.run_task(with(script(id, "true"), json!({"group": group}))).await;
        }
        let of_group = peer.call("task/clean", json!({"group": "b", "keepPerGroup": 0})).await;
        assert_eq!(of_group["removed"], 2);
        let cleaned = peer.call("task/clean", json!({"keepPerGroup": 1})).await;
        assert_eq!(cleaned["removed"], 3);
        assert_eq!(listed(peer).await, ["n2", "a3"]);
    }
}
