//! Long answers about tasks that nobody takes: one at a time is made, and nobody else waits for who does not take them.

use std::collections::HashSet;

use exec_tests::wait::within_patience;
use exec_tests::{Peer, fixture};
use serde_json::{Value, json};

use super::answers::unread_kib;
use super::raw::{Raw, parse};
use super::{assert_grown_within, on_raw_wires};

/// What is told of a log at most, in bytes.
const LOG_BYTES: usize = 4 << 20;

/// What is read of a flood before the rest of it is taken back.
const READ: usize = 8;

/// Sends so many requests with these params and takes no answer; looks at what that costs, and whether others are served; then
/// reads some answers, takes the rest of the requests back, and checks that each is answered once.
async fn flood(
    raw: &mut Raw,
    other: Option<&mut Peer>,
    requests: usize,
    method: &str,
    params: &Value,
    held_kib: u64,
) {
    let request = |id| raw.message(&json!({"id": id, "method": method, "params": params}).to_string());
    let messages: Vec<u8> = (0..requests).flat_map(request).collect();
    let cancel = |id| raw.message(&json!({"method": "$/cancelRequest", "params": {"id": id}}).to_string());
    let cancels: Vec<u8> = (0..requests).flat_map(cancel).collect();
    let before = raw.server.anonymous_kib();
    let taken = raw.send_until_held_up(&messages).await;
    raw.until_idle().await;
    assert_grown_within(raw.server, before, held_kib);
    if let Some(other) = other {
        let served = async {
            other.task("t").await;
            let said = other.task_output("t").await;
            assert!(!said.is_empty());
            other
                .run_task(json!({"argv": fixture::argv(["exit", "0"])}))
                .await;
        };
        within_patience("another client's tasks", served).await;
    }
    let mut answers = raw.exchange(&messages[taken..], READ).await;
    raw.until_idle().await;
    assert_grown_within(raw.server, before, held_kib);
    answers.extend(raw.exchange(&cancels, requests - READ).await);
    let whole = answers
        .iter()
        .filter(|answer| answer.contains(r#""result""#))
        .count();
    assert!(whole >= READ, "{whole} answers are whole");
    let ids: HashSet<_> = answers.iter().map(|answer| id(answer)).collect();
    assert_eq!((answers.len(), ids.len()), (requests, requests));
}

/// The id of an answer, which stands near its beginning.
fn id(answer: &str) -> &str {
    let behind = answer.split_once(r#""id":"#).expect("an answer has an id").1;
    behind.split_once(',').expect("a result is behind it").0
}

/// Runs a task `t` that writes so much.
async fn say(raw: &mut Raw, bytes: usize) {
    let argv = fixture::argv(["emit", &bytes.to_string()]);
    raw.call("task/submit", json!({"taskId": "t", "argv": argv}))
        .await;
    let ended = raw
        .call("task/wait", json!({"taskIds": ["t"], "waitMs": 30_000}))
        .await;
    assert_eq!(ended["result"]["settled"][0]["state"], "completed", "{ended}");
}

on_raw_wires! {
    with_tasks

    async fn logs_are_looked_at_one_after_the_other(raw: &mut Raw, other: Option<&mut Peer>) {
        const LOGS: usize = 1500;
        say(raw, LOG_BYTES).await;
        let params = json!({"taskId": "t", "view": "raw", "maxBytes": LOG_BYTES});
        flood(raw, other, LOGS, "task/logs", &params, unread_kib(LOGS, LOG_BYTES / 3 * 4)).await;
    }

    async fn records_of_ended_tasks_are_put_together_one_list_after_the_other(raw: &mut Raw, other: Option<&mut Peer>) {
        const WAITS: usize = 150;
        const TASKS: usize = 100;
        say(raw, 1).await;
        raw.call("task/lanes", json!({"lane": "held", "maxParallel": 0})).await;
        let argv = ["/bin/true".to_owned(), "x".repeat(4000)];
        let submit = |number: usize| {
            let params = json!({"taskId": format!("w{number}"), "argv": argv, "group": "g", "lane": "held", "labels": {"l": "x".repeat(3000)}});
            raw.message(&json!({"id": number, "method": "task/submit", "params": params}).to_string())
        };
        let submits: Vec<u8> = (0..TASKS).flat_map(submit).collect();
        let records = raw.exchange(&submits, TASKS).await;
        assert!(records.iter().all(|record| parse(record)["result"]["state"] == "queued"), "{}", records[0]);
        raw.call("task/stopGroup", json!({"group": "g"})).await;
        let ids: Vec<_> = (0..TASKS).map(|number| format!("w{number}")).collect();
        let params = json!({"taskIds": ids, "mode": "all"});
        let answer = raw.call("task/wait", params.clone()).await;
        assert_eq!(answer["result"]["settled"].as_array().map(Vec::len), Some(TASKS));
        let longest = answer.to_string().len();
        flood(raw, other, WAITS, "task/wait", &params, unread_kib(WAITS, longest)).await;
    }

    async fn who_waits_for_a_task_holds_up_no_other_request(raw: &mut Raw, other: Option<&mut Peer>) {
        say(raw, 1).await;
        raw.call("task/submit", json!({"taskId": "quiet", "argv": fixture::argv(["echo"]), "pipeStdin": true})).await;
        for method in ["task/wait", "task/logs"] {
            let params = match method {
                "task/wait" => json!({"taskIds": ["quiet"], "waitMs": 60_000}),
                _ => json!({"taskId": "quiet", "follow": true, "waitMs": 60_000}),
            };
            raw.send_text(&json!({"id": method, "method": method, "params": params}).to_string()).await;
        }
        for method in ["task/wait", "task/logs", "task/list", "task/summary", "process/list"] {
            let params = match method {
                "task/wait" => json!({"taskIds": ["t"]}),
                "task/logs" => json!({"taskId": "t"}),
                _ => json!({}),
            };
            let answer = raw.call(method, params).await;
            assert!(answer["result"].is_object(), "{answer}");
        }
        raw.send_text(r#"{"id":"end","method":"task/stop","params":{"taskId":"quiet"}}"#).await;
        let mut answered: Vec<_> = Vec::new();
        for _ in 0..3 {
            answered.push(raw.next().await["id"].as_str().map(str::to_owned));
        }
        answered.sort();
        assert_eq!(answered, ["end", "task/logs", "task/wait"].map(|id| Some(id.to_owned())));
        let _ = other;
    }
}
