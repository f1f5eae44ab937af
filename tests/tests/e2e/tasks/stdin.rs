//! `task/write`, `task/resize` and `task/signal`.

use exec_protocol::task::TaskState;
use exec_tests::{Peer, base64, on_every_wire_with_tasks};
use serde_json::json;

use super::{is_refused, kill, said, task};
use crate::commands::with;

/// Writes that are sent without waiting for answers.
const PIPELINED: usize = 100;

on_every_wire_with_tasks! {
    async fn what_is_written_is_read_until_stdin_is_closed(peer: &mut Peer) {
        peer.submit(with(task("t", ["echo-on-user1"]), json!({"pipeStdin": true}))).await;
        peer.task_says("t", "ready").await;
        for text in ["one\n", "two\n"] {
            let result = peer.call("task/write", json!({"taskId": "t", "chunk": base64(text)})).await;
            assert_eq!(result["status"], "accepted");
        }
        let end = peer.call("task/write", json!({"taskId": "t", "chunk": base64("end"), "eof": true})).await;
        assert_eq!(end["status"], "accepted");
        let late = peer.call("task/write", json!({"taskId": "t", "chunk": base64("late")})).await;
        assert_eq!(late["status"], "stdinClosed");
        assert_eq!(peer.call("task/signal", json!({"taskId": "t", "signal": "user1"})).await, json!({"delivered": true}));
        assert_eq!(peer.ended_task("t").await.state, TaskState::Completed);
        assert_eq!(said(peer, "t").await, "ready\none\ntwo\nend");
    }

    async fn a_write_with_a_name_is_typed_once(peer: &mut Peer) {
        peer.submit(with(task("t", ["echo-on-user1"]), json!({"pipeStdin": true}))).await;
        peer.task_says("t", "ready").await;
        for _ in 0..3 {
            let write = json!({"taskId": "t", "chunk": base64("once\n"), "writeId": "w"});
            assert_eq!(peer.call("task/write", write).await["status"], "accepted");
        }
        peer.call("task/write", json!({"taskId": "t", "eof": true})).await;
        peer.call("task/signal", json!({"taskId": "t", "signal": "SIGUSR1"})).await;
        peer.ended_task("t").await;
        assert_eq!(said(peer, "t").await, "ready\nonce\n");
    }

    async fn writes_that_are_sent_together_keep_their_order(peer: &mut Peer) {
        peer.submit(with(task("t", ["echo-on-user1"]), json!({"pipeStdin": true}))).await;
        peer.task_says("t", "ready").await;
        let mut expected = "ready\n".to_owned();
        let mut answers = Vec::new();
        for number in 0..PIPELINED {
            let line = format!("{number}\n");
            let write = json!({"taskId": "t", "chunk": base64(&line), "eof": number + 1 == PIPELINED});
            answers.push(peer.request("task/write", write).await);
            expected += &line;
        }
        for answer in answers {
            assert_eq!(peer.response(answer).await.unwrap()["status"], "accepted");
        }
        peer.call("task/signal", json!({"taskId": "t", "signal": "user1"})).await;
        peer.ended_task("t").await;
        assert_eq!(said(peer, "t").await, expected);
    }

    async fn one_without_a_stdin_is_not_written_to(peer: &mut Peer) {
        peer.submit(task("t", ["never-read"])).await;
        peer.task_says("t", "ready").await;
        let result = peer.call("task/write", json!({"taskId": "t", "chunk": base64("x")})).await;
        assert_eq!(result["status"], "stdinClosed");
        kill(peer, "t").await;
    }

    async fn a_terminal_is_written_to_and_has_the_size_that_it_is_given(peer: &mut Peer) {
        peer.submit(with(task("t", ["size", "watch"]), json!({"tty": true, "size": {"rows": 3, "cols": 4}}))).await;
        peer.task_says("t", "size 3 4").await;
        assert_eq!(peer.call("task/resize", json!({"taskId": "t", "size": {"rows": 9, "cols": 80}})).await, json!({}));
        peer.task_says("t", "size 9 80").await;
        // Ctrl-C: the terminal makes a signal of it.
        peer.call("task/write", json!({"taskId": "t", "chunk": base64("\x03")})).await;
        let record = peer.ended_task("t").await;
        assert_eq!(record.signal.as_deref(), Some("SIGINT"));
    }

    async fn a_signal_is_delivered(peer: &mut Peer) {
        peer.submit(task("t", ["name-signals"])).await;
        peer.task_says("t", "ready").await;
        peer.call("task/signal", json!({"taskId": "t", "signal": "hangup"})).await;
        peer.task_says("t", "SIGHUP").await;
        peer.call("task/signal", json!({"taskId": "t", "signal": "interrupt"})).await;
        assert_eq!(peer.ended_task("t").await.state, TaskState::Completed);
        assert_eq!(said(peer, "t").await, "ready\nSIGHUP\nSIGINT\n");
    }

    async fn one_that_does_not_run_has_nothing_to_write_to(peer: &mut Peer) {
        peer.call("task/lanes", json!({"lane": "closed", "maxParallel": 0})).await;
        peer.submit(with(task("waits", ["exit", "0"]), json!({"lane": "closed"}))).await;
        peer.run_task(task("ended", ["exit", "0"])).await;
        for id in ["waits", "ended"] {
            is_refused(peer, "task/write", json!({"taskId": id, "chunk": "eA=="}), "taskNotRunning").await;
            is_refused(peer, "task/resize", json!({"taskId": id, "size": {"rows": 1, "cols": 1}}), "taskNotRunning").await;
            is_refused(peer, "task/signal", json!({"taskId": id, "signal": "kill"}), "taskNotRunning").await;
        }
        is_refused(peer, "task/signal", json!({"taskId": "none", "signal": "kill"}), "unknownTask").await;
        kill(peer, "waits").await;
    }
}
