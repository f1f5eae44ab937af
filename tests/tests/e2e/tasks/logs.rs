//! `task/logs`: what a task has written, and parts of it.

use exec_protocol::task::{LogsResult, TaskState};
use exec_tests::{Peer, base64, on_every_wire_with_tasks};
use serde_json::{Value, json};

use super::{is_refused, kind_and_field, script, task};
use crate::commands::with;

/// A wait that is to be woken, in milliseconds.
const WAIT_MS: u64 = 60_000;

/// Ten lines: `line 0` to `line 9`.
async fn ten_lines(peer: &mut Peer) {
    let count = "for i in 0 1 2 3 4 5 6 7 8 9; do echo line $i; done";
    peer.run_task(script("t", count)).await;
}

/// What is told of these lines, with these params.
async fn told(peer: &mut Peer, more: Value) -> (Vec<String>, LogsResult) {
    let result = peer.task_log(with(json!({"taskId": "t"}), more)).await;
    let texts = result
        .parts
        .iter()
        .map(|part| part.text.clone().expect("it is a text"));
    (texts.collect(), result)
}

/// Where it is left out what was asked for: from, to, and whether it is kept.
fn left_out(result: &LogsResult) -> Vec<(u64, u64, bool)> {
    let omitted = result.omitted.iter();
    omitted
        .map(|omitted| (omitted.from_offset, omitted.to_offset, omitted.is_kept))
        .collect()
}

fn lines(numbers: std::ops::Range<u64>) -> String {
    let lines: Vec<_> = numbers.map(|number| format!("line {number}\n")).collect();
    lines.concat()
}

/// One that repeats what is written to it.
async fn echo(peer: &mut Peer) {
    peer.submit(with(task("t", ["echo-on-user1"]), json!({"pipeStdin": true})))
        .await;
    peer.task_says("t", "ready\n").await;
    peer.call("task/signal", json!({"taskId": "t", "signal": "user1"}))
        .await;
}

async fn write(peer: &mut Peer, bytes: &[u8]) {
    peer.call("task/write", json!({"taskId": "t", "chunk": base64(bytes)}))
        .await;
}

async fn end(peer: &mut Peer) {
    peer.call("task/write", json!({"taskId": "t", "eof": true})).await;
    peer.ended_task("t").await;
}

on_every_wire_with_tasks! {
    async fn all_of_it_is_told_where_it_fits(peer: &mut Peer) {
        ten_lines(peer).await;
        let (texts, result) = told(peer, json!({})).await;
        assert_eq!(texts, [lines(0..10)]);
        assert_eq!((result.task_id.as_str(), result.attempt, result.state), ("t", 1, TaskState::Completed));
        assert_eq!((result.total_bytes, result.total_lines, result.next_offset), (70, 10, 70));
        assert_eq!((result.log.first_offset, result.log.end_offset, result.matches), (0, 70, None));
        let part = &result.parts[0];
        assert_eq!((part.from_offset, part.to_offset, part.from_line), (0, 70, 0));
        assert_eq!(left_out(&result), []);
        let raw = peer.task_log(json!({"taskId": "t", "view": "raw"})).await;
        assert_eq!(raw.parts[0].text, None);
        assert_eq!(&raw.parts[0].data_base64.as_ref().unwrap().0[..], lines(0..10).as_bytes());
    }

    async fn head_and_tail_count_lines_or_bytes_and_what_is_between_is_told_to_be_left_out(peer: &mut Peer) {
        ten_lines(peer).await;
        let (texts, result) = told(peer, json!({"head": 2})).await;
        assert_eq!((texts, left_out(&result), result.next_offset), (vec![lines(0..2)], vec![(14, 70, true)], 14));
        let (texts, result) = told(peer, json!({"tail": 3})).await;
        assert_eq!((texts, left_out(&result)), (vec![lines(7..10)], vec![(0, 49, true)]));
        assert_eq!((result.parts[0].from_line, result.next_offset), (7, 70));
        let (texts, result) = told(peer, json!({"head": 1, "tail": 1})).await;
        assert_eq!((texts, left_out(&result)), (vec![lines(0..1), lines(9..10)], vec![(7, 63, true)]));
        let (texts, result) = told(peer, json!({"head": 6, "tail": 6})).await;
        assert_eq!((texts, left_out(&result)), (vec![lines(0..10)], vec![]));
        let (texts, _) = told(peer, json!({"head": 3, "unit": "bytes"})).await;
        assert_eq!(texts, ["lin"]);
        let (texts, _) = told(peer, json!({"tail": 3, "unit": "bytes"})).await;
        assert_eq!(texts, [" 9\n"]);
        let (texts, result) = told(peer, json!({"head": 0})).await;
        assert_eq!((texts, left_out(&result)), (vec![], vec![(0, 70, true)]));
    }

    async fn a_range_is_counted_in_bytes_or_lines(peer: &mut Peer) {
        ten_lines(peer).await;
        let (texts, result) = told(peer, json!({"range": {"from": 7, "to": 21}})).await;
        assert_eq!((texts, result.parts[0].from_line, result.next_offset), (vec![lines(1..3)], 1, 21));
        let (texts, result) = told(peer, json!({"range": {"unit": "line", "from": 8}})).await;
        assert_eq!((texts, left_out(&result)), (vec![lines(8..10)], vec![]));
        let (texts, _) = told(peer, json!({"range": {"unit": "line", "from": 2, "to": 5}, "tail": 1})).await;
        assert_eq!(texts, [lines(4..5)]);
        let (texts, _) = told(peer, json!({"range": {"from": 70}})).await;
        assert_eq!(texts, [""; 0]);
        let error = peer.refused("task/logs", json!({"taskId": "t", "range": {"from": 71}})).await;
        assert_eq!(kind_and_field(&error), ("cursorAhead", Some("range.from")));
    }

    async fn grep_tells_the_lines_that_match_with_those_around_them(peer: &mut Peer) {
        ten_lines(peer).await;
        let (texts, result) = told(peer, json!({"grep": {"regex": "[37]$"}})).await;
        assert_eq!((texts, result.matches), (vec![lines(3..4), lines(7..8)], Some(2)));
        let (texts, result) = told(peer, json!({"grep": {"regex": "LINE [45]", "ignoreCase": true, "before": 1, "after": 2}})).await;
        assert_eq!((texts, result.matches), (vec![lines(3..8)], Some(2)));
        let part = &result.parts[0];
        assert_eq!((part.from_line, part.from_offset, &part.matching_lines[..]), (3, 21, &[4, 5][..]));
        let (texts, result) = told(peer, json!({"grep": {"regex": "LINE"}})).await;
        assert_eq!((texts, result.matches, left_out(&result)), (vec![], Some(0), vec![]));
        let (_, result) = told(peer, json!({"grep": {"regex": "line"}, "range": {"unit": "line", "from": 6}})).await;
        assert_eq!(result.matches, Some(4));
        for (grep, field) in [
            (json!({"regex": "("}), "grep.regex"),
            (json!({"regex": "x", "before": 1001}), "grep"),
        ] {
            let error = peer.refused("task/logs", json!({"taskId": "t", "grep": grep})).await;
            assert_eq!(kind_and_field(&error), ("invalidParams", Some(field)));
        }
    }

    async fn of_what_does_not_fit_the_middle_is_left_out_and_can_be_asked_for(peer: &mut Peer) {
        peer.run_task(task("t", ["emit", "300000"])).await;
        let all = String::from_utf8(peer.task_output("t").await).unwrap();
        assert_eq!(all.len(), 300_000);
        let (texts, result) = told(peer, json!({"maxBytes": 10_000})).await;
        let [beginning, end] = &texts[..] else { panic!("{result:?}") };
        assert!(beginning.len() + end.len() <= 10_000 && beginning.len().min(end.len()) > 3_000, "{}", texts.len());
        assert!(beginning.ends_with('\n') && end.len() % 16 == 0, "cut within a line");
        let [(from, to, true)] = left_out(&result)[..] else { panic!("{result:?}") };
        assert_eq!((from, 300_000 - to), (beginning.len() as u64, end.len() as u64));
        assert_eq!(result.next_offset, 300_000);
        let mut middle = String::new();
        let mut at = from;
        while at < to {
            let (texts, result) = told(peer, json!({"range": {"from": at, "to": to}, "maxBytes": 100_000})).await;
            middle.push_str(&texts[0]);
            assert!(result.next_offset > at);
            at = result.next_offset;
        }
        assert!(format!("{beginning}{middle}{end}") == all);
        // Without a number it is 64 KiB.
        let (texts, _) = told(peer, json!({})).await;
        let bytes: usize = texts.iter().map(String::len).sum();
        assert!((60_000..=64 << 10).contains(&bytes), "{bytes}");
    }

    async fn a_text_has_no_escape_sequences_and_of_a_line_what_it_came_to(peer: &mut Peer) {
        let output = r"printf '\033[1;31mred\033[0m\n10%%\r20%%\rdone\n\033]0;title\007x\n\303\274 \377\n'";
        peer.run_task(script("t", output)).await;
        let (texts, _) = told(peer, json!({})).await;
        assert_eq!(texts, ["red\ndone\nx\nü \u{fffd}\n"]);
        peer.run_task(with(script("u", "echo line"), json!({"tty": true}))).await;
        let result = peer.task_log(json!({"taskId": "u"})).await;
        assert_eq!(result.parts[0].text.as_deref(), Some("line\n"));
    }

    async fn a_character_that_comes_in_two_writes_is_told_when_it_is_whole(peer: &mut Peer) {
        echo(peer).await;
        write(peer, b"\xc3").await;
        let raw = peer.task_log(json!({"taskId": "t", "view": "raw", "follow": true, "range": {"from": 6}, "waitMs": WAIT_MS})).await;
        assert_eq!(raw.next_offset, 7);
        let (texts, result) = told(peer, json!({})).await;
        assert_eq!((texts, result.next_offset), (vec!["ready\n".to_owned()], 6));
        write(peer, b"\xbc").await;
        peer.task_says("t", "ü").await;
        let (texts, result) = told(peer, json!({"range": {"from": result.next_offset}})).await;
        assert_eq!((texts, result.next_offset), (vec!["ü".to_owned()], 8));
        // At the end it cannot become whole any more.
        write(peer, b"\xe2\x82").await;
        end(peer).await;
        let (texts, result) = told(peer, json!({"range": {"from": 8}})).await;
        assert_eq!((texts, result.next_offset), (vec!["\u{fffd}".to_owned()], 10));
    }

    async fn who_follows_is_woken_by_output_and_by_the_end(peer: &mut Peer) {
        echo(peer).await;
        let follow = |from: u64, wait_ms: u64| json!({"taskId": "t", "follow": true, "range": {"from": from}, "waitMs": wait_ms});
        let nothing = peer.task_log(follow(6, 20)).await;
        assert_eq!((nothing.parts.len(), nothing.next_offset, nothing.state), (0, 6, TaskState::Running));
        // There is something already.
        let some = peer.task_log(follow(3, WAIT_MS)).await;
        assert_eq!(some.parts[0].text.as_deref(), Some("dy\n"));
        let request = peer.request("task/logs", follow(6, WAIT_MS)).await;
        peer.call("task/lanes", json!({})).await;
        write(peer, b"more\n").await;
        let woken = peer.response(request).await.unwrap();
        assert_eq!((&woken["parts"][0]["text"], &woken["nextOffset"]), (&json!("more\n"), &json!(11)));
        // Without a place it is what comes behind the end there is.
        let request = peer.request("task/logs", json!({"taskId": "t", "follow": true, "waitMs": WAIT_MS})).await;
        peer.call("task/lanes", json!({})).await;
        end(peer).await;
        let woken = peer.response(request).await.unwrap();
        assert_eq!((&woken["state"], &woken["totalBytes"]), (&json!("completed"), &json!(11)));
        let ended = peer.task_log(follow(11, WAIT_MS)).await;
        assert_eq!((ended.parts.len(), ended.state), (0, TaskState::Completed));
        let by_line = json!({"taskId": "t", "follow": true, "range": {"unit": "line", "from": 0}});
        is_refused(peer, "task/logs", by_line, "invalidParams").await;
    }

    async fn who_follows_one_that_waits_is_woken_when_it_speaks(peer: &mut Peer) {
        peer.call("task/lanes", json!({"lane": "l", "maxParallel": 0})).await;
        peer.submit(with(script("t", "echo hello"), json!({"lane": "l"}))).await;
        let (texts, result) = told(peer, json!({})).await;
        assert_eq!((texts.len(), result.attempt, result.state), (0, 0, TaskState::Queued));
        let request = peer.request("task/logs", json!({"taskId": "t", "follow": true, "range": {"from": 0}, "waitMs": WAIT_MS})).await;
        peer.call("task/lanes", json!({"lane": "l", "maxParallel": 1})).await;
        let woken = peer.response(request).await.unwrap();
        assert_eq!((&woken["attempt"], &woken["parts"][0]["text"]), (&json!(1), &json!("hello\n")));
        peer.ended_task("t").await;
    }
}
