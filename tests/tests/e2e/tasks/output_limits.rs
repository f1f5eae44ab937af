//! `maxOutputBytes` and `onOutputLimit`: output of which not all is kept.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use exec_protocol::process::EndReason;
use exec_protocol::task::{LogStopped, TaskState};
use exec_tests::{TestServer, blocks, on_every_wire_with_tasks};
use serde_json::{Value, json};

use super::{end, task};
use crate::commands::with;

/// What is kept, in bytes.
const KEPT: u64 = 100_000;

/// What is written, in bytes.
const WRITTEN: u64 = 1_000_000;

fn writes_too_much(on_output_limit: &str) -> Value {
    let limit = json!({"maxOutputBytes": KEPT, "onOutputLimit": on_output_limit});
    with(task("t", ["blocks", &WRITTEN.to_string()]), limit)
}

on_every_wire_with_tasks! {
    async fn with_kill_it_is_ended_and_the_first_bytes_are_kept(server: &TestServer) {
        let mut peer = server.session().await;
        // It writes without an end.
        let endless = with(task("t", ["blocks", "1000000000000"]), json!({"maxOutputBytes": KEPT, "onOutputLimit": "kill"}));
        let record = peer.run_task(with(endless, json!({"retry": {"maxAttempts": 5, "on": ["failure", "timeout"]}}))).await;
        assert_eq!((record.state, record.end_reason), (TaskState::Failed, Some(EndReason::OutputLimit)));
        assert_eq!((record.attempt_count, &record.ended_by), (1, &None), "it would only be too much again");
        let log = &record.attempts[0].log;
        assert_eq!((log.first_offset, log.end_offset, &log.stopped), (0, KEPT, &Some(LogStopped::OutputLimit)));
        let kept = peer.task_output("t").await;
        assert_eq!(kept.len() as u64, KEPT);
        blocks::check(0, &kept);
        let notices = peer.call("task/notices", json!({})).await;
        let summary = notices["notices"][0]["summary"].as_str().unwrap();
        assert!(summary.contains(" wrote too much after "), "{summary}");
        peer.finish().await;
    }

    async fn with_stop_it_runs_on_and_the_first_bytes_are_kept(server: &TestServer) {
        let mut peer = server.session().await;
        let record = peer.run_task(writes_too_much("stop")).await;
        assert_eq!(end(&record), (TaskState::Completed, Some(EndReason::Exited), Some(0)));
        let attempt = &record.attempts[0];
        assert_eq!(attempt.bytes.stdout, WRITTEN);
        assert_eq!((attempt.log.first_offset, attempt.log.end_offset, &attempt.log.stopped), (0, KEPT, &Some(LogStopped::OutputLimit)));
        let kept = peer.task_output("t").await;
        assert_eq!(kept.len() as u64, KEPT);
        blocks::check(0, &kept);
        let log = peer.task_log(json!({"taskId": "t", "head": 1})).await;
        assert_eq!(log.total_bytes, WRITTEN);
        let last = log.omitted.last().expect("not all is kept");
        assert_eq!((last.from_offset, last.to_offset, last.is_kept), (KEPT, WRITTEN, false));
        peer.finish().await;
    }

    async fn with_drop_oldest_it_runs_on_and_the_last_bytes_are_kept(server: &TestServer) {
        let mut peer = server.session().await;
        let record = peer.run_task(writes_too_much("dropOldest")).await;
        assert_eq!(end(&record), (TaskState::Completed, Some(EndReason::Exited), Some(0)));
        let log = record.attempts[0].log.clone();
        assert_eq!((log.end_offset, &log.stopped), (WRITTEN, &None));
        let kept = WRITTEN - log.first_offset;
        assert!((KEPT / 2..=KEPT).contains(&kept), "{log:?}");
        let tail = peer.task_log(json!({"taskId": "t", "view": "raw", "maxBytes": 4 << 20})).await;
        let told = tail.parts[0].data_base64.clone().unwrap().0;
        assert_eq!((tail.parts[0].from_offset, told.len() as u64), (log.first_offset, kept));
        blocks::check(log.first_offset, &told);
        let dropped = tail.omitted[0];
        assert_eq!((dropped.from_offset, dropped.to_offset, dropped.is_kept), (0, log.first_offset, false));
        // Offsets are those of all that was written; the disk holds what is kept.
        let file = fs::metadata(server.state_dir().join("logs/t/1.log")).unwrap();
        assert_eq!(file.len(), WRITTEN);
        assert!(file.blocks() * 512 <= 2 * KEPT, "{} blocks", file.blocks());
        peer.finish().await;
    }

    async fn with_no_room_at_all_everything_is_counted(server: &TestServer) {
        let mut peer = server.session().await;
        for how in ["stop", "dropOldest"] {
            let params = with(writes_too_much(how), json!({"maxOutputBytes": 0, "taskId": how}));
            let record = peer.run_task(params).await;
            assert_eq!(end(&record), (TaskState::Completed, Some(EndReason::Exited), Some(0)), "{how}");
            assert_eq!(record.attempts[0].bytes.stdout, WRITTEN, "{how}");
            assert_eq!(peer.task_log(json!({"taskId": how})).await.parts, [], "{how}");
        }
        peer.finish().await;
    }
}
