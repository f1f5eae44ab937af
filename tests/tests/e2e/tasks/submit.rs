//! `task/submit`: what is run, and how.

use exec_protocol::process::Size;
use exec_protocol::task::{LaneName, OnOutputLimit, TaskState};
use exec_protocol::{Group, StartKey};
use exec_tests::{Peer, TestServer, on_every_wire_with_tasks};
use serde_json::{Value, json};

use super::{kill, kind_and_field, output_of, said, script, task};
use crate::commands::with;
use crate::records::now_ms;

on_every_wire_with_tasks! {
    async fn a_command_is_run_by_the_users_shell_and_is_its_own_title(peer: &mut Peer) {
        let info = peer.call("environment/info", json!({})).await;
        let command = "echo $((6 * 7)); echo err >&2";
        let record = peer.run_task(json!({"command": command})).await;
        assert_eq!(record.command.as_deref(), Some(command));
        assert_eq!(json!(record.argv), json!([info["shell"]["path"], "-c", command]));
        assert_eq!(record.title, command);
        let said = said(peer, record.task_id.as_str()).await;
        let mut lines: Vec<_> = said.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["42", "err"]);
        // Of more than a line the first is told, and that there is more.
        let record = peer.run_task(json!({"command": "true\nfalse\ntrue"})).await;
        assert_eq!(record.title, "true…");
    }

    async fn argv_is_run_as_it_is(peer: &mut Peer) {
        let said = output_of(peer, task("t", ["argv", "a b", "$HOME", "", "ü"])).await;
        assert!(said.ends_with("\0\nargv\0\na b\0\n$HOME\0\n\0\nü\0\n"), "{said:?}");
        let record = peer.run_task(json!({"argv": ["/bin/echo", "a", "b"]})).await;
        assert_eq!((record.title.as_str(), record.command), ("/bin/echo a b", None));
        assert_eq!(record.argv, ["/bin/echo", "a", "b"]);
    }

    async fn it_runs_where_it_is_told_or_where_the_server_is(peer: &mut Peer) {
        let info = peer.call("environment/info", json!({})).await;
        let here = peer.run_task(json!({"argv": ["/bin/pwd", "-P"]})).await;
        assert_eq!(json!(here.cwd), info["cwd"]);
        let there = with(json!({"taskId": "there", "argv": ["/bin/pwd", "-P"]}), json!({"cwd": "/usr/bin"}));
        let there = peer.run_task(there).await;
        assert_eq!(json!(there.cwd), json!("file:///usr/bin"));
        assert_eq!(said(peer, "there").await, "/usr/bin\n");
        let path = info["cwd"].as_str().unwrap().trim_start_matches("file://");
        assert_eq!(said(peer, here.task_id.as_str()).await.trim_end(), path);
    }

    async fn a_terminal_has_the_size_that_was_asked_for(peer: &mut Peer) {
        let size = json!({"rows": 7, "cols": 99});
        let record = peer.run_task(with(task("t", ["size"]), json!({"tty": true, "size": size}))).await;
        assert_eq!((record.tty, record.size), (true, Size::new(7, 99).ok()));
        assert_eq!(said(peer, "t").await, "size 7 99\r\n");
        let record = peer.task("t").await;
        let bytes = record.attempts[0].bytes;
        assert_eq!((bytes.stdout, bytes.stderr, bytes.pty), (0, 0, 11));
    }

    async fn stdin_is_at_its_end_unless_it_was_asked_for(peer: &mut Peer) {
        assert_eq!(output_of(peer, script("t", "readlink /proc/self/fd/0; cat")).await, "/dev/null\n");
    }

    async fn what_was_submitted_is_in_the_record(server: &TestServer) {
        let mut peer = server.session().await;
        let before = now_ms();
        let all = json!({
            "taskId": "all", "argv": ["/bin/true"], "title": "A \"title\"", "group": "g", "parent": "c",
            "labels": {"b": "2", "a": "1"}, "maxOutputBytes": 70_000, "onOutputLimit": "stop",
            "retry": {"maxAttempts": 2, "backoffMs": 5, "on": ["interrupted"]}, "lane": "l", "priority": -3,
            "submitKey": "k",
        });
        let record = peer.submit(all.clone()).await;
        let told = serde_json::to_value(&record).unwrap();
        for (name, value) in all.as_object().unwrap() {
            assert_eq!(&told[name], value, "{name}");
        }
        assert!((before..=now_ms()).contains(&record.submitted_at_ms), "{record:?}");
        let ended = peer.ended_task("all").await;
        assert_eq!((ended.attempt_count, ended.submitted_at_ms), (1, record.submitted_at_ms));
        peer.finish().await;
    }

    async fn what_was_not_said_has_its_default(peer: &mut Peer) {
        let hello = peer.submit(json!({"argv": ["/bin/true"]})).await;
        assert!((1..=64).contains(&hello.task_id.as_str().len()));
        assert_eq!((&hello.group, &hello.parent, &hello.submit_key), (&None::<Group>, &None, &None::<StartKey>));
        assert_eq!((hello.labels.len(), hello.priority, &hello.lane), (0, 0, &LaneName::default()));
        assert_eq!((hello.tty, hello.size, &hello.retry), (false, None, &None));
        assert_eq!(hello.on_output_limit, OnOutputLimit::DropOldest);
        let other = peer.submit(json!({"argv": ["/bin/true"]})).await;
        assert_ne!(hello.task_id, other.task_id);
        for record in [hello, other] {
            peer.ended_task(record.task_id.as_str()).await;
        }
    }

    async fn the_default_cap_of_output_is_the_one_that_the_server_tells(server: &TestServer) {
        let mut peer = server.connect().await;
        let hello = peer.handshake().await;
        assert!(hello.capabilities.tasks);
        let record = peer.run_task(json!({"argv": ["/bin/true"]})).await;
        let limits = hello.limits.expect("they are told");
        assert_eq!(Some(record.max_output_bytes), limits.task_output_bytes);
        peer.finish().await;
    }

    async fn an_id_is_taken_until_its_task_is_removed(peer: &mut Peer) {
        peer.run_task(task("t", ["exit", "0"])).await;
        let error = peer.refused("task/submit", task("t", ["exit", "0"])).await;
        assert_eq!(kind_and_field(&error), ("duplicateTask", Some("taskId")));
        peer.call("task/remove", json!({"taskId": "t"})).await;
        peer.run_task(task("t", ["exit", "0"])).await;
    }

    async fn a_submission_that_comes_again_is_the_same_task_and_runs_once(peer: &mut Peer) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("runs");
        let command = format!("echo run >>{}", file.display());
        let params = json!({"command": command, "submitKey": "k"});
        let mut ids = Vec::new();
        for _ in 0..5 {
            ids.push(peer.request("task/submit", params.clone()).await);
        }
        let mut records = Vec::new();
        for id in ids {
            records.push(peer.response(id).await.expect("it is the same"));
        }
        let first = records[0]["taskId"].as_str().unwrap().to_owned();
        assert!(records.iter().all(|record| record["taskId"] == first), "{records:?}");
        peer.ended_task(&first).await;
        // Behind the end as well, and whatever else it says.
        let again = peer.submit(json!({"command": "exit 9", "submitKey": "k"})).await;
        assert_eq!((again.task_id.as_str(), again.state), (first.as_str(), TaskState::Completed));
        let list = peer.call("task/list", json!({})).await;
        assert_eq!(list["records"].as_array().map(Vec::len), Some(1));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "run\n");
        // Another key is another task.
        peer.run_task(with(params, json!({"submitKey": "K"}))).await;
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "run\nrun\n");
    }

    async fn a_task_outlives_the_session_it_was_submitted_in(peer: &mut Peer) {
        peer.submit(task("t", ["never-read"])).await;
        peer.task_says("t", "ready").await;
        peer.call("session/close", json!({})).await;
        assert_eq!(peer.task("t").await.state, TaskState::Running);
        kill(peer, "t").await;
    }

    async fn it_is_no_process_of_any_session(peer: &mut Peer) {
        peer.submit(task("t", ["never-read"])).await;
        peer.task_says("t", "ready").await;
        let list = peer.call("process/list", Value::Object(serde_json::Map::new())).await;
        assert_eq!(list["records"], json!([]));
        let record = peer.task("t").await;
        let attempt = &record.attempts[0];
        assert!(attempt.uid.is_some() && attempt.pid.is_some(), "{attempt:?}");
        kill(peer, "t").await;
    }
}
