//! `task/wait`: for one of several tasks, or all of them.

use exec_protocol::task::{TaskRecord, TaskState};
use exec_tests::{Peer, TestServer, on_every_wire_with_tasks, on_wires_with_tasks};
use serde_json::{Value, json};

use super::{is_refused, kill, kind_and_field, record_when, task};
use crate::commands::with;

/// A wait that is to be woken, in milliseconds.
const WAIT_MS: u64 = 60_000;

/// Which have settled, which have not, and which are gone.
fn sorted(result: &Value) -> (Vec<&str>, Vec<&str>, Vec<&str>) {
    let ids = |name: &str| -> Vec<_> {
        let list = result[name].as_array().expect("it is a list");
        list.iter()
            .map(|entry| entry.as_str().or(entry["taskId"].as_str()).expect("an id"))
            .collect()
    };
    (ids("settled"), ids("pending"), ids("removed"))
}

/// Tasks that run until they are written to.
async fn runs<const N: usize>(peer: &mut Peer, ids: [&str; N], more: Value) {
    for id in ids {
        let params = with(task(id, ["echo"]), json!({"pipeStdin": true}));
        peer.submit(with(params, more.clone())).await;
    }
}

/// Waits until one runs, and has it end.
async fn end(peer: &mut Peer, id: &str) {
    let runs = |record: &TaskRecord| record.attempts.iter().any(|attempt| attempt.pid.is_some());
    record_when(peer, id, runs).await;
    peer.call("task/write", json!({"taskId": id, "eof": true})).await;
}

on_every_wire_with_tasks! {
    async fn without_a_time_it_only_looks(peer: &mut Peer) {
        runs(peer, ["a"], json!({})).await;
        let result = peer.call("task/wait", json!({"taskIds": ["a"]})).await;
        assert_eq!(sorted(&result), (vec![], vec!["a"], vec![]));
        assert_eq!(result["timedOut"], true);
        end(peer, "a").await;
        peer.ended_task("a").await;
        for mode in ["any", "all"] {
            let result = peer.call("task/wait", json!({"taskIds": ["a"], "mode": mode})).await;
            assert_eq!((sorted(&result), &result["timedOut"]), ((vec!["a"], vec![], vec![]), &json!(false)));
            assert_eq!(result["settled"][0]["state"], "completed");
        }
    }

    async fn one_end_is_enough_for_any(peer: &mut Peer) {
        runs(peer, ["a", "b"], json!({})).await;
        let wait = peer.request("task/wait", json!({"taskIds": ["a", "b"], "waitMs": WAIT_MS})).await;
        end(peer, "b").await;
        let result = peer.response(wait).await.unwrap();
        assert_eq!((sorted(&result), &result["timedOut"]), ((vec!["b"], vec!["a"], vec![]), &json!(false)));
        kill(peer, "a").await;
    }

    async fn all_are_waited_for_with_all(peer: &mut Peer) {
        runs(peer, ["a", "b", "c"], json!({})).await;
        let params = json!({"taskIds": ["a", "b", "c", "a"], "mode": "all", "waitMs": WAIT_MS});
        let wait = peer.request("task/wait", params).await;
        for id in ["b", "a", "c"] {
            end(peer, id).await;
        }
        let result = peer.response(wait).await.unwrap();
        assert_eq!(sorted(&result), (vec!["a", "b", "c"], vec![], vec![]));
    }

    async fn a_time_that_is_over_is_told_with_what_has_ended(peer: &mut Peer) {
        runs(peer, ["a", "b"], json!({})).await;
        end(peer, "a").await;
        peer.ended_task("a").await;
        let result = peer.call("task/wait", json!({"taskIds": ["a", "b"], "mode": "all", "waitMs": 50})).await;
        assert_eq!((sorted(&result), &result["timedOut"]), ((vec!["a"], vec!["b"], vec![]), &json!(true)));
        kill(peer, "b").await;
    }

    async fn a_group_or_a_parent_stands_for_those_that_have_not_ended(peer: &mut Peer) {
        runs(peer, ["old"], json!({"group": "g"})).await;
        end(peer, "old").await;
        peer.ended_task("old").await;
        runs(peer, ["a", "b"], json!({"group": "g"})).await;
        runs(peer, ["c"], json!({"group": "g", "parent": "p"})).await;
        let of_group = json!({"group": "g", "mode": "all", "waitMs": WAIT_MS});
        let of_group = peer.request("task/wait", of_group).await;
        let of_parent = peer.request("task/wait", json!({"parent": "p", "mode": "all", "waitMs": WAIT_MS})).await;
        end(peer, "c").await;
        let result = peer.response(of_parent).await.unwrap();
        assert_eq!(sorted(&result), (vec!["c"], vec![], vec![]));
        // One that comes later is not of those.
        runs(peer, ["late"], json!({"group": "g"})).await;
        end(peer, "a").await;
        end(peer, "b").await;
        let result = peer.response(of_group).await.unwrap();
        let (mut settled, pending, removed) = sorted(&result);
        settled.sort_unstable();
        assert_eq!((settled, pending, removed), (vec!["a", "b", "c"], vec![], vec![]));
        kill(peer, "late").await;
        // Where none is active there is nothing to wait for.
        let result = peer.call("task/wait", json!({"group": "g", "waitMs": WAIT_MS})).await;
        assert_eq!((sorted(&result), &result["timedOut"]), ((vec![], vec![], vec![]), &json!(false)));
    }

    async fn one_that_is_removed_meanwhile_is_told(peer: &mut Peer) {
        runs(peer, ["a", "b"], json!({})).await;
        let wait = peer.request("task/wait", json!({"taskIds": ["a", "b"], "mode": "all", "waitMs": WAIT_MS})).await;
        // It waits when this is answered.
        peer.call("task/lanes", json!({})).await;
        peer.call("task/remove", json!({"taskId": "a", "graceMs": 0})).await;
        end(peer, "b").await;
        let result = peer.response(wait).await.unwrap();
        let (settled, pending, removed) = sorted(&result);
        assert_eq!((settled, pending, removed), (vec!["b"], vec![], vec!["a"]));
    }

    async fn one_that_is_tried_again_has_not_ended(peer: &mut Peer) {
        let retry = json!({"retry": {"maxAttempts": 2, "backoffMs": 200, "on": ["failure"]}});
        peer.submit(with(task("t", ["exit", "1"]), retry)).await;
        let record = peer.ended_task("t").await;
        assert_eq!((record.attempt_count, record.state), (2, TaskState::Failed));
    }

    async fn what_is_unknown_is_refused(peer: &mut Peer) {
        is_refused(peer, "task/wait", json!({"taskIds": ["none"], "waitMs": WAIT_MS}), "unknownTask").await;
        let many: Vec<_> = (0..1001).map(|number| format!("t{number}")).collect();
        let error = peer.refused("task/wait", json!({"taskIds": many})).await;
        assert_eq!(kind_and_field(&error), ("invalidParams", Some("taskIds")));
    }

    async fn a_wait_can_be_taken_back(peer: &mut Peer) {
        runs(peer, ["a"], json!({})).await;
        let wait = peer.request("task/wait", json!({"taskIds": ["a"], "waitMs": WAIT_MS})).await;
        let follow = peer.request("task/logs", json!({"taskId": "a", "follow": true, "waitMs": WAIT_MS})).await;
        peer.call("task/lanes", json!({})).await;
        for request in [wait, follow] {
            peer.notify("$/cancelRequest", json!({"id": request})).await;
            let error = peer.response(request).await.expect_err("it was taken back");
            assert_eq!((error.code, error.data.kind.as_str()), (-32800, "cancelled"));
        }
        assert_eq!(peer.task("a").await.state, TaskState::Running);
        end(peer, "a").await;
        peer.ended_task("a").await;
    }
}

on_wires_with_tasks! {
    [memory, websocket]
    async fn another_connection_can_wait(server: &TestServer) {
        let (mut first, mut second) = (server.session().await, server.session().await);
        runs(&mut first, ["a"], json!({})).await;
        let wait = second.request("task/wait", json!({"taskIds": ["a"], "waitMs": WAIT_MS})).await;
        second.call("task/lanes", json!({})).await;
        end(&mut first, "a").await;
        let result = second.response(wait).await.unwrap();
        assert_eq!(sorted(&result).0, ["a"]);
        first.finish().await;
        second.finish().await;
    }
}
