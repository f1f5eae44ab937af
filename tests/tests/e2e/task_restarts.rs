//! Tasks outlive their server, however it ends.

mod crashes;
mod flood;
mod full_disk;
mod heartbeat;
mod interrupted;
mod leftovers;
mod missing_logs;
mod one_server;
mod shutdown;
mod torn_logs;
mod versions;

use std::fs;
use std::path::{Path, PathBuf};

use exec_protocol::Blob;
use exec_protocol::task::{
    Get, Logs, LogsParams, LogsResult, Notice, Notices, NoticesParams, Range, RangeUnit, TaskParams,
    TaskRecord, TaskRef, TaskState, Wait, WaitParams,
};
use exec_tests::wait::{until, within_patience};
use exec_tests::{Options, Peer, TestServer, Wire, program};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Most of a log that is told at a time, in bytes.
const PAGE_BYTES: u64 = 4 << 20;

/// Where tasks are kept, by one server after the other.
struct StateDir(TempDir);

impl StateDir {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("there is room for a directory"))
    }

    /// The directory that servers are told of. It need not be there.
    fn path(&self) -> PathBuf {
        self.0.path().join("state")
    }

    /// A place that is none of the server's.
    fn beside(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn options(&self) -> Options {
        Options {
            state_dir: Some(self.path()),
            ..Options::default()
        }
    }

    /// A server that keeps its tasks here.
    async fn server(&self, wire: Wire) -> TestServer {
        within_patience("a server", TestServer::start_with(wire, self.options())).await
    }

    /// The program with these arguments, to be started by somebody else.
    fn program(&self, arguments: &[&str]) -> tokio::process::Command {
        let mut command = program::server(arguments.iter().copied());
        command.arg("--state-dir").arg(self.path());
        command
    }

    fn database(&self) -> PathBuf {
        self.path().join("tasks.db")
    }

    /// The records, read as an administrator would.
    fn open_database(&self) -> rusqlite::Connection {
        let db = rusqlite::Connection::open(self.database()).unwrap();
        db.busy_timeout(exec_tests::wait::PATIENCE).unwrap();
        db
    }

    /// The library finds nothing wrong with the records.
    fn check_database(&self) {
        let db = self.open_database();
        let said: String = db
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(said, "ok");
    }

    fn logs_of(&self, task: &str) -> PathBuf {
        self.path().join("logs").join(task)
    }

    fn raw_log(&self, task: &str) -> PathBuf {
        self.logs_of(task).join("1.log")
    }

    fn index(&self, task: &str) -> PathBuf {
        self.logs_of(task).join("1.index")
    }
}

/// The params of a task that runs this script.
fn script(task: &str, script: &str) -> Value {
    json!({"taskId": task, "argv": ["/bin/sh", "-c", script], "env": {"PATH": "/usr/bin:/bin"}})
}

/// Submits a task, and returns its id.
async fn submit(peer: &mut Peer, params: Value) -> String {
    let record = peer.call("task/submit", params).await;
    record["taskId"].as_str().expect("a task has an id").to_owned()
}

fn reference(task: &str) -> TaskRef {
    TaskRef::new(task).expect("it is an id")
}

async fn get(peer: &mut Peer, task: &str) -> TaskRecord {
    let task_id = reference(task);
    peer.call_typed::<Get>(&TaskParams { task_id }).await
}

/// Waits until a task has ended.
async fn ended(peer: &mut Peer, task: &str) -> TaskRecord {
    let params = WaitParams {
        task_ids: vec![reference(task)],
        wait_ms: 1_000,
        ..WaitParams::default()
    };
    let end = async {
        loop {
            if let Some(record) = peer.call_typed::<Wait>(&params).await.settled.pop() {
                return record;
            }
        }
    };
    within_patience(&format!("the end of {task}"), end).await
}

/// Waits until a task that has not ended is so.
async fn becomes(peer: &mut Peer, task: &str, is_so: impl Fn(&TaskRecord) -> bool) -> TaskRecord {
    let pause = WaitParams {
        task_ids: vec![reference(task)],
        wait_ms: 50,
        ..WaitParams::default()
    };
    let so = async {
        loop {
            let record = get(peer, task).await;
            if is_so(&record) {
                return record;
            }
            assert!(!record.state.is_ended(), "{record:?}");
            peer.call_typed::<Wait>(&pause).await;
        }
    };
    within_patience(&format!("what is expected of {task}"), so).await
}

/// Waits until the process of a task has made this file.
async fn made(path: &str) {
    until(&format!("there is {path}"), || Path::new(path).exists()).await;
}

/// Waits until what a running task has written is kept.
async fn written(peer: &mut Peer, task: &str, bytes: u64) {
    let all = async {
        let mut end = 0;
        while end < bytes {
            let params = LogsParams {
                max_bytes: Some(0),
                range: Some(Range {
                    unit: RangeUnit::Offset,
                    from: end,
                    to: None,
                }),
                follow: true,
                wait_ms: 1_000,
                ..LogsParams::new(reference(task))
            };
            end = peer.call_typed::<Logs>(&params).await.log.end_offset;
        }
    };
    within_patience(&format!("{bytes} bytes of {task}"), all).await;
}

/// What is kept of the output of an attempt from an offset on, byte for byte, and the last answer of the server.
async fn output(peer: &mut Peer, task: &str, attempt: u32, from: u64) -> (Vec<u8>, LogsResult) {
    let mut at = from;
    let mut bytes = Vec::new();
    loop {
        let params = json!({
            "taskId": task, "attempt": attempt, "view": "raw", "maxBytes": PAGE_BYTES,
            "range": {"unit": "offset", "from": at},
        });
        let result = peer.call("task/logs", params).await;
        let result: LogsResult = serde_json::from_value(result).unwrap();
        for part in &result.parts {
            let Blob(data) = part.data_base64.as_ref().expect("it is raw");
            assert_eq!((part.from_offset, part.to_offset), (at, at + data.len() as u64));
            bytes.extend_from_slice(data);
            at = part.to_offset;
        }
        if result.parts.is_empty() || at >= result.log.end_offset {
            return (bytes, result);
        }
    }
}

/// Lines, the last of which may have no line feed.
fn count_lines(bytes: &[u8]) -> u64 {
    bytes.split_inclusive(|&byte| byte == b'\n').count() as u64
}

/// The end of a task whose server was killed.
fn was_lost(record: &TaskRecord) -> bool {
    record.state == TaskState::Interrupted
        && record.end_reason == Some(exec_protocol::process::EndReason::ServerLost)
}

async fn notices(peer: &mut Peer) -> Vec<Notice> {
    let result = peer.call_typed::<Notices>(&NoticesParams::default()).await;
    assert_eq!(result.more, 0);
    result.notices
}

/// The lines of a file that tasks append to; none if there is no file.
fn lines_of(path: &str) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}
