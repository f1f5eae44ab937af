//! `task/subscribe`, `task/updated` and `task/settled`.

use exec_protocol::task::{TaskState, UpdatedParams};
use exec_tests::{Peer, TestServer, on_every_wire_with_tasks, on_wires_with_tasks};
use serde_json::json;
use tokio::time::Instant;

use super::{kill, script, task};
use crate::commands::with;

/// Claims what is told of a task until it has ended.
async fn updates(peer: &mut Peer, id: &str) -> Vec<UpdatedParams> {
    let mut updates: Vec<UpdatedParams> = Vec::new();
    while updates.last().is_none_or(|last| !last.state.is_ended()) {
        updates.push(peer.updated(id).await);
    }
    updates
}

on_every_wire_with_tasks! {
    async fn who_has_not_asked_is_not_told(peer: &mut Peer) {
        peer.run_task(task("t", ["exit", "0"])).await;
        // Else it would be left unclaimed.
        peer.call("task/lanes", json!({})).await;
    }

    async fn each_end_of_an_attempt_is_told_once(peer: &mut Peer) {
        peer.subscribe(json!({})).await;
        let retry = json!({"retry": {"maxAttempts": 3, "on": ["failure"]}, "group": "g"});
        peer.submit(with(task("t", ["exit", "3"]), retry)).await;
        for attempt in 1..=3 {
            let settled = peer.settled("t").await;
            let ended = settled.attempt.expect("it has ended");
            assert_eq!((ended.attempt, ended.state, ended.exit_code), (attempt, TaskState::Failed, Some(3)));
            // The task is told as it is now, which may be further.
            assert!(settled.task.attempt_count >= attempt, "{:?}", settled.task);
        }
        assert_eq!(peer.task("t").await.attempt_count, 3);
        let last = updates(peer, "t").await.pop().unwrap();
        assert_eq!((last.state, last.attempt, last.group.unwrap().as_str()), (TaskState::Failed, 3, "g"));
    }

    async fn an_end_before_the_first_attempt_is_told_without_one(peer: &mut Peer) {
        peer.call("task/lanes", json!({"lane": "closed", "maxParallel": 0})).await;
        peer.subscribe(json!({})).await;
        peer.submit(with(task("t", ["exit", "0"]), json!({"lane": "closed"}))).await;
        let queued = peer.updated("t").await;
        assert_eq!((queued.state, queued.attempt, queued.bytes), (TaskState::Queued, 0, 0));
        kill(peer, "t").await;
        let settled = peer.settled("t").await;
        assert_eq!((settled.attempt, settled.task.state), (None, TaskState::Stopped));
    }

    async fn changes_are_told_at_most_once_a_second_and_the_last_always(peer: &mut Peer) {
        peer.subscribe(json!({})).await;
        let begun = Instant::now();
        let retry = json!({"retry": {"maxAttempts": 40, "on": ["failure"]}});
        peer.submit(with(task("t", ["exit", "1"]), retry)).await;
        let updates = updates(peer, "t").await;
        let most = begun.elapsed().as_secs() + 2;
        assert!(updates.len() as u64 <= most, "{} in {most} s", updates.len());
        let last = updates.last().unwrap();
        assert_eq!((last.state, last.attempt), (TaskState::Failed, 40));
        for _ in 0..40 {
            peer.settled("t").await;
        }
    }

    async fn output_is_a_change_and_how_much_it_was_is_told(peer: &mut Peer) {
        peer.subscribe(json!({})).await;
        let talks = "for i in $(seq 60); do echo $i; sleep 0.05; done";
        peer.submit(script("t", talks)).await;
        let updates = updates(peer, "t").await;
        let mut running = updates.iter().filter(|update| update.state == TaskState::Running);
        assert!(running.any(|update| update.bytes > 0 && update.last_output_at_ms.is_some()), "{updates:?}");
        assert!(updates.is_sorted_by_key(|update| update.bytes), "{updates:?}");
        let last = updates.last().unwrap();
        let all = (1..=60).map(|number: u64| number.to_string().len() as u64 + 1).sum::<u64>();
        assert_eq!((last.state, last.attempt, last.bytes), (TaskState::Completed, 1, all));
        peer.settled("t").await;
    }

    async fn a_scope_is_told_of_and_nothing_else(peer: &mut Peer) {
        for (subscription, expected) in [
            (json!({"group": "g"}), vec!["of-group", "of-both"]),
            (json!({"parent": "p"}), vec!["of-parent", "of-both"]),
            (json!({"group": "g", "parent": "p"}), vec!["of-both"]),
            (json!({"group": "other"}), vec![]),
        ] {
            // A later one takes the place of the earlier one.
            peer.subscribe(subscription).await;
            for (id, scope) in [
                ("of-none", json!({})),
                ("of-group", json!({"group": "g"})),
                ("of-parent", json!({"parent": "p"})),
                ("of-both", json!({"group": "g", "parent": "p"})),
            ] {
                peer.run_task(with(task(id, ["exit", "0"]), scope)).await;
            }
            for id in &expected {
                assert_eq!(peer.settled(id).await.task.state, TaskState::Completed);
                let scoped = updates(peer, id).await;
                assert!(scoped.iter().all(|update| update.task_id.as_str() == *id));
            }
            for id in ["of-none", "of-group", "of-parent", "of-both"] {
                peer.call("task/remove", json!({"taskId": id})).await;
            }
        }
    }
}

on_wires_with_tasks! {
    [memory, websocket]
    async fn each_connection_is_told_what_it_has_asked_for(server: &TestServer) {
        let (mut first, mut second, mut silent) = (server.session().await, server.session().await, server.session().await);
        first.subscribe(json!({})).await;
        second.subscribe(json!({"group": "g"})).await;
        silent.run_task(task("t", ["exit", "0"])).await;
        silent.run_task(with(task("u", ["exit", "0"]), json!({"group": "g"}))).await;
        for id in ["t", "u"] {
            first.settled(id).await;
        }
        second.settled("u").await;
        for peer in [first, second, silent] {
            peer.finish().await;
        }
    }
}
