//! Records and servers for tests.

use std::collections::VecDeque;

use exec_client::{Client, Transport};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use exec_protocol::process::{EndReason, StreamBytes};
use exec_protocol::task::{
    Attempt, LaneName, LogState, OnOutputLimit, TaskId, TaskRecord, TaskServer, TaskState,
};
use exec_protocol::{StringMap, WirePath};

use super::context::{Context, Form};

/// A server that gives these answers, in this order, whatever it is asked.
pub(super) struct Script {
    answers: VecDeque<Value>,
    to_be_seen: mpsc::Receiver<Value>,
    seen: Vec<Value>,
    asked: mpsc::Sender<Value>,
}

impl Script {
    pub(super) fn new(answers: impl Into<VecDeque<Value>>) -> Self {
        // More than any test asks.
        let (asked, to_be_seen) = mpsc::channel(100);
        Self {
            answers: answers.into(),
            to_be_seen,
            seen: Vec::new(),
            asked,
        }
    }

    /// A connection to it.
    pub(super) async fn context(&mut self) -> Context {
        let (to_server, mut requests) = mpsc::channel::<bytes::Bytes>(1);
        let (to_client, answers) = mpsc::channel(1);
        let (mut script, asked) = (std::mem::take(&mut self.answers), self.asked.clone());
        TaskTracker::new().spawn(async move {
            while let Some(message) = requests.recv().await {
                let request: Value = serde_json::from_slice(&message).unwrap();
                let result = match request["method"].as_str() {
                    Some("initialize") => json!({
                        "sessionId": "s",
                        "environmentInfo": {"shell": {"name": "sh", "path": "/bin/sh"}, "cwd": "file:///"},
                    }),
                    _ if request["id"].is_null() => continue,
                    _ => {
                        asked.send(request["params"].clone()).await.unwrap();
                        script.pop_front().expect("no answer is left")
                    }
                };
                let answer = json!({"jsonrpc": "2.0", "id": request["id"], "result": result});
                if to_client.send(answer.to_string().into()).await.is_err() {
                    break;
                }
            }
        });
        let transport = Transport::memory(to_server, answers);
        let client = Client::connect(transport, "test").await.unwrap();
        Context::over(client, Form::Text)
    }

    /// What it was asked so far: this member of each request.
    pub(super) fn asked(&mut self, member: &str) -> Vec<Value> {
        while let Ok(request) = self.to_be_seen.try_recv() {
            self.seen.push(request);
        }
        self.seen.iter().map(|request| request[member].clone()).collect()
    }
}

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
