//! `task/notices` and `task/ack`: ends that nobody has taken note of.

use exec_protocol::task::{Notice, NoticesResult};
use exec_tests::{Peer, TestServer, on_every_wire_with_tasks, on_wires_with_tasks};
use serde_json::{Value, json};

use super::{kill, kind_and_field, script, task};
use crate::commands::with;

async fn notices(peer: &mut Peer, scope: Value) -> Vec<Notice> {
    let result = peer.call("task/notices", scope).await;
    let result: NoticesResult = serde_json::from_value(result).expect("these are notices");
    assert_eq!(result.more, 0);
    result.notices
}

fn ids(notices: &[Notice]) -> Vec<&str> {
    notices.iter().map(|notice| notice.task_id.as_str()).collect()
}

async fn ack(peer: &mut Peer, notice_ids: &[u64]) -> u64 {
    let result = peer.call("task/ack", json!({"noticeIds": notice_ids})).await;
    result["acked"].as_u64().expect("it is counted")
}

on_every_wire_with_tasks! {
    async fn they_come_oldest_first_until_they_are_acknowledged(peer: &mut Peer) {
        for id in ["a", "b", "c"] {
            peer.run_task(task(id, ["exit", "0"])).await;
        }
        let all = notices(peer, json!({})).await;
        assert_eq!(ids(&all), ["a", "b", "c"]);
        assert!(all.is_sorted_by(|one, other| one.notice_id < other.notice_id), "{all:?}");
        assert_eq!(notices(peer, json!({})).await, all, "they come again");
        let numbers: Vec<_> = all.iter().map(|notice| notice.notice_id).collect();
        assert_eq!(ack(peer, &numbers[1..2]).await, 1);
        assert_eq!(ids(&notices(peer, json!({})).await), ["a", "c"]);
        // Once more, and one that never was.
        assert_eq!(ack(peer, &[numbers[1], 1_000_000]).await, 0);
        assert_eq!(ack(peer, &numbers).await, 2);
        assert_eq!(notices(peer, json!({})).await, []);
        peer.run_task(task("d", ["exit", "0"])).await;
        assert!(notices(peer, json!({})).await[0].notice_id > numbers[2]);
        let many: Vec<u64> = (0..1001).collect();
        let error = peer.refused("task/ack", json!({"noticeIds": many})).await;
        assert_eq!(kind_and_field(&error), ("invalidParams", Some("noticeIds")));
    }

    async fn they_are_told_by_group_and_by_parent(peer: &mut Peer) {
        for (id, scope) in [("none", json!({})), ("group", json!({"group": "g"})), ("parent", json!({"parent": "p"})), ("both", json!({"group": "g", "parent": "p"}))] {
            peer.run_task(with(task(id, ["exit", "0"]), scope)).await;
        }
        for (scope, expected) in [
            (json!({}), vec!["none", "group", "parent", "both"]),
            (json!({"group": "g"}), vec!["group", "both"]),
            (json!({"parent": "p"}), vec!["parent", "both"]),
            (json!({"group": "g", "parent": "p"}), vec!["both"]),
            (json!({"group": "other"}), vec![]),
        ] {
            assert_eq!(ids(&notices(peer, scope).await), expected);
        }
    }

    async fn one_says_in_a_line_what_became_of_its_task(peer: &mut Peer) {
        let fails = script("t", "printf 'working\\n\\033[31m2 tests failed\\033[0m\\n\\n'; exit 3");
        let record = peer.run_task(with(fails, json!({"title": "unit\ntests", "group": "g", "parent": "p"}))).await;
        let told = notices(peer, json!({})).await.remove(0);
        assert_eq!((told.attempt, told.state, told.exit_code), (1, record.state, Some(3)));
        assert_eq!((&told.group, &told.parent), (&record.group, &record.parent));
        assert_eq!(Some(told.at_ms), record.ended_at_ms);
        let rest = told.summary.strip_prefix("unit tests failed after ").expect(&told.summary);
        let (took, rest) = rest.split_once(" s ").expect(&told.summary);
        assert!(took.parse::<f64>().is_ok(), "{}", told.summary);
        assert_eq!(rest, "(exit code 3): 2 tests failed");
    }

    async fn one_of_a_task_that_never_ran_says_so(peer: &mut Peer) {
        peer.call("task/lanes", json!({"lane": "closed", "maxParallel": 0})).await;
        peer.submit(with(task("t", ["exit", "0"]), json!({"lane": "closed", "title": "late"}))).await;
        kill(peer, "t").await;
        let told = notices(peer, json!({})).await.remove(0);
        assert_eq!((told.attempt, told.exit_code, told.summary.as_str()), (0, None, "late was cancelled"));
    }

    async fn a_task_that_is_tried_again_makes_one(peer: &mut Peer) {
        let retry = json!({"retry": {"maxAttempts": 3, "on": ["failure"]}});
        peer.run_task(with(task("t", ["exit", "1"]), retry)).await;
        let told = notices(peer, json!({})).await;
        assert_eq!((told.len(), told[0].attempt), (1, 3));
    }
}

on_wires_with_tasks! {
    [memory, websocket]
    async fn they_wait_for_whoever_comes(server: &TestServer) {
        let mut peer = server.session().await;
        peer.submit(with(task("t", ["echo"]), json!({"pipeStdin": true}))).await;
        peer.call("session/close", json!({})).await;
        peer.finish().await;
        let mut peer = server.session().await;
        peer.submit(task("u", ["never-read"])).await;
        kill(&mut peer, "t").await;
        assert_eq!(ids(&notices(&mut peer, json!({})).await), ["t"]);
        peer.finish().await;
        let mut peer = server.session().await;
        let told = notices(&mut peer, json!({})).await;
        assert_eq!(ids(&told), ["t"]);
        assert_eq!(ack(&mut peer, &[told[0].notice_id]).await, 1);
        kill(&mut peer, "u").await;
        peer.finish().await;
    }
}
