//! Records for tests.

use exec_protocol::process::{EndReason, StreamBytes};
use exec_protocol::task::{
    Attempt, LaneName, LogState, OnOutputLimit, TaskId, TaskRecord, TaskServer, TaskState,
};
use exec_protocol::{StringMap, WirePath};

/// A task that has run for a minute and completed, submitted at 1,000,000 ms.
pub(super) fn task(id: &str) -> TaskRecord {
    TaskRecord {
        task_id: TaskId::new(id).unwrap(),
        title: format!("make {id}"),
        command: Some(format!("make {id}")),
        argv: ["sh", "-c", "make"].map(str::to_owned).into(),
        cwd: WirePath::new("/src".into()).unwrap(),
        tty: false,
        size: None,
        group: None,
        parent: None,
        labels: StringMap::new(),
        lane: LaneName::default(),
        priority: 0,
        submit_key: None,
        max_output_bytes: 1 << 20,
        on_output_limit: OnOutputLimit::default(),
        retry: None,
        state: TaskState::Completed,
        position: None,
        not_before_ms: None,
        submitted_at_ms: 1_000_000,
        started_at_ms: Some(1_010_000),
        ended_at_ms: Some(1_070_000),
        end_reason: Some(EndReason::Exited),
        exit_code: Some(0),
        signal: None,
        ended_by: None,
        attempts: vec![attempt()],
        attempt_count: 1,
        server: TaskServer {
            incarnation: "s1".to_owned(),
            last_seen_ms: 1_070_000,
        },
    }
}

fn attempt() -> Attempt {
    Attempt {
        attempt: 1,
        state: TaskState::Completed,
        uid: None,
        pid: Some(42),
        started_at_ms: 1_010_000,
        ended_at_ms: Some(1_070_000),
        end_reason: Some(EndReason::Exited),
        exit_code: Some(0),
        signal: None,
        failure: None,
        bytes: StreamBytes {
            stdout: 1500,
            stderr: 36,
            pty: 0,
        },
        last_seq: 9,
        last_output_at_ms: Some(1_069_000),
        log: LogState {
            first_offset: 0,
            end_offset: 1536,
            stopped: None,
        },
    }
}
