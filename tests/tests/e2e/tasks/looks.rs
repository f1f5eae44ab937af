//! `task/list`, `task/get` and `task/summary`.

use exec_protocol::task::{TaskId, TaskState};
use exec_tests::{Peer, on_every_wire_with_tasks};
use serde_json::{Value, json};

use super::{is_refused, kill, kind_and_field, task};
use crate::commands::with;

/// The ids of a page.
fn ids(page: &Value) -> Vec<&str> {
    let records = page["records"].as_array().expect("it has records");
    records
        .iter()
        .map(|record| record["taskId"].as_str().unwrap())
        .collect()
}

/// Tasks of every kind: two that ended, one that runs and one that waits.
async fn some(peer: &mut Peer) {
    peer.call("task/lanes", json!({"lane": "closed", "maxParallel": 0}))
        .await;
    let good = json!({"group": "g", "parent": "c", "labels": {"a": "1", "b": "2"}, "title": "Größe EINS"});
    peer.run_task(with(task("good", ["exit", "0"]), good)).await;
    let bad = json!({"group": "g", "labels": {"a": "1"}, "title": "100% two"});
    peer.run_task(with(task("bad", ["exit", "1"]), bad)).await;
    let runs = json!({"group": "h", "parent": "c", "lane": "open"});
    peer.submit(with(task("runs", ["never-read"]), runs)).await;
    peer.submit(with(
        task("waits", ["exit", "0"]),
        json!({"group": "h", "lane": "closed"}),
    ))
    .await;
}

on_every_wire_with_tasks! {
    async fn a_list_has_the_newest_first_and_is_narrowed_by_what_is_given(peer: &mut Peer) {
        some(peer).await;
        for (params, expected) in [
            (json!({}), vec!["waits", "runs", "bad", "good"]),
            (json!({"group": "g"}), vec!["bad", "good"]),
            (json!({"parent": "c"}), vec!["runs", "good"]),
            (json!({"group": "h", "parent": "c"}), vec!["runs"]),
            (json!({"lane": "closed"}), vec!["waits"]),
            (json!({"states": ["failed", "queued"]}), vec!["waits", "bad"]),
            (json!({"states": []}), vec!["waits", "runs", "bad", "good"]),
            (json!({"labels": {"a": "1"}}), vec!["bad", "good"]),
            (json!({"labels": {"a": "1", "b": "2"}}), vec!["good"]),
            (json!({"labels": {"a": "2"}}), vec![]),
            (json!({"title": "eins"}), vec!["good"]),
            (json!({"title": "%"}), vec!["bad"]),
            (json!({"title": "100_"}), vec![]),
            (json!({"group": "none"}), vec![]),
        ] {
            let page = peer.call("task/list", params.clone()).await;
            assert_eq!((ids(&page), &page["next"]), (expected, &Value::Null), "{params}");
        }
        kill(peer, "runs").await;
    }

    async fn the_case_of_letters_does_not_matter_whatever_the_letters(peer: &mut Peer) {
        peer.run_task(with(task("t", ["exit", "0"]), json!({"title": "Größe ÄÖÜ"}))).await;
        for title in ["GRÖ", "äöü", "größe äöü", "ße Ä"] {
            let page = peer.call("task/list", json!({"title": title})).await;
            assert_eq!(ids(&page), ["t"], "{title}");
        }
    }

    async fn a_list_comes_page_by_page(peer: &mut Peer) {
        let names: Vec<_> = (0..7).map(|number| format!("t{number}")).collect();
        for id in &names {
            peer.run_task(with(task(id, ["exit", "0"]), json!({"group": "g"}))).await;
        }
        let (mut all, mut after) = (Vec::new(), Value::Null);
        loop {
            let page = peer.call("task/list", json!({"group": "g", "limit": 3, "after": after})).await;
            assert_eq!(ids(&page).len(), 3.min(7 - all.len()), "a page is full but for the last");
            all.extend(ids(&page).into_iter().map(str::to_owned));
            after = page["next"].clone();
            if after.is_null() {
                break;
            }
            // What comes meanwhile does not move the pages.
            peer.run_task(json!({"argv": ["/bin/true"], "group": "g"})).await;
        }
        assert_eq!(all, names.iter().rev().cloned().collect::<Vec<_>>());
        for limit in [0, 1001] {
            let error = peer.refused("task/list", json!({"limit": limit})).await;
            assert_eq!(kind_and_field(&error), ("invalidParams", Some("limit")));
        }
        is_refused(peer, "task/list", json!({"after": "none"}), "unknownTask").await;
    }

    async fn a_task_is_found_by_how_its_name_alone_begins(peer: &mut Peer) {
        for id in ["build", "build-1", "build-2", "test"] {
            peer.run_task(task(id, ["exit", "0"])).await;
        }
        for (name, found) in [("t", "test"), ("te", "test"), ("build-1", "build-1"), ("build", "build")] {
            assert_eq!(peer.task(name).await.task_id.as_str(), found, "{name}");
        }
        for name in ["b", "build-"] {
            let error = peer.refused("task/get", json!({"taskId": name})).await;
            assert_eq!((error.code, error.data.kind.as_str()), (-32600, "ambiguousTask"));
            let candidates: Vec<_> = error.data.candidates.iter().map(TaskId::as_str).collect();
            let expected = ["build", "build-1", "build-2"];
            assert_eq!(candidates, expected[usize::from(name.len() > 1)..], "{name}");
        }
        for name in ["x", "T", "tests", "build-3"] {
            is_refused(peer, "task/get", json!({"taskId": name}), "unknownTask").await;
        }
        // It is so wherever a task is named.
        is_refused(peer, "task/stop", json!({"taskId": "b"}), "ambiguousTask").await;
        is_refused(peer, "task/wait", json!({"taskIds": ["b"]}), "ambiguousTask").await;
        let removed = peer.call("task/remove", json!({"taskId": "te"})).await;
        assert_eq!(removed, json!({"taskId": "test"}));
    }

    async fn a_summary_says_how_a_scope_is_doing(peer: &mut Peer) {
        some(peer).await;
        let all = peer.call("task/summary", json!({})).await;
        let counts = json!({"queued": 1, "running": 1, "completed": 1, "failed": 1, "stopped": 0, "interrupted": 0});
        assert_eq!(all["counts"], counts);
        assert_eq!(ids(&json!({"records": all["active"]})), ["waits", "runs"]);
        assert_eq!(ids(&json!({"records": all["latestEnded"]})), ["bad", "good"]);
        let of_group = peer.call("task/summary", json!({"group": "g"})).await;
        assert_eq!((&of_group["counts"]["completed"], &of_group["counts"]["running"]), (&json!(1), &json!(0)));
        let of_parent = peer.call("task/summary", json!({"parent": "c", "group": "h"})).await;
        assert_eq!(ids(&json!({"records": of_parent["active"]})), ["runs"]);
        assert_eq!(of_parent["latestEnded"], json!([]));
        kill(peer, "runs").await;
        let all = peer.call("task/summary", json!({})).await;
        assert_eq!(ids(&json!({"records": all["latestEnded"]})), ["runs", "bad", "good"]);
    }

    async fn a_summary_tells_the_latest_20(peer: &mut Peer) {
        peer.call("task/lanes", json!({"lane": "closed", "maxParallel": 0})).await;
        for number in 0..25 {
            peer.submit(with(task(&format!("t{number}"), ["exit", "0"]), json!({"lane": "closed"}))).await;
        }
        let summary = peer.call("task/summary", json!({})).await;
        let newest: Vec<_> = (5..25).rev().map(|number| format!("t{number}")).collect();
        assert_eq!((ids(&json!({"records": summary["active"]})), &summary["counts"]["queued"]), (newest.iter().map(String::as_str).collect(), &json!(25)));
        for number in 0..25 {
            let record = kill(peer, &format!("t{number}")).await;
            assert_eq!(record.state, TaskState::Stopped);
        }
        let summary = peer.call("task/summary", json!({})).await;
        assert_eq!(summary["latestEnded"].as_array().map(Vec::len), Some(20));
    }
}
