//! What a client does with tasks.

use exec_protocol::Blob;
use exec_protocol::task::{
    Get, Logs, LogsParams, LogsResult, RangeUnit, SettledParams, TaskParams, TaskRecord, TaskRef,
    UpdatedParams, Wait, WaitParams,
};
use serde_json::Value;

use crate::peer::Peer;

/// How long a wait lasts that is to be woken, in milliseconds.
const LONG_MS: u64 = 60_000;

impl Peer {
    /// Submits a task with these params, and returns its record.
    ///
    /// # Panics
    ///
    /// If the server refuses.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the task may have been taken on.
    pub async fn submit(&mut self, params: Value) -> TaskRecord {
        let record = self.call("task/submit", params).await;
        serde_json::from_value(record).expect("it answers with a record")
    }

    /// The record of a task.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the request may have been sent.
    pub async fn task(&mut self, id: &str) -> TaskRecord {
        let task_id = task_ref(id);
        self.call_typed::<Get>(&TaskParams { task_id }).await
    }

    /// Waits until a task has ended, and returns its record.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the request may have been sent.
    pub async fn ended_task(&mut self, id: &str) -> TaskRecord {
        let params = WaitParams {
            task_ids: vec![task_ref(id)],
            wait_ms: LONG_MS,
            ..WaitParams::default()
        };
        let mut result = self.call_typed::<Wait>(&params).await;
        result.settled.pop().expect("one end is enough")
    }

    /// Submits a task, and waits until it has ended.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the task may have been taken on.
    pub async fn run_task(&mut self, params: Value) -> TaskRecord {
        let record = self.submit(params).await;
        self.ended_task(record.task_id.as_str()).await
    }

    /// What a task has written.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the request may have been sent.
    pub async fn task_log(&mut self, params: Value) -> LogsResult {
        let params: LogsParams = serde_json::from_value(params).expect("these are its params");
        self.call_typed::<Logs>(&params).await
    }

    /// All that the last attempt of a task has written, as it is kept.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the request may have been sent.
    pub async fn task_output(&mut self, id: &str) -> Vec<u8> {
        self.output_behind(id, 0, false).await
    }

    /// Waits until the last attempt of a task has written this.
    ///
    /// # Panics
    ///
    /// If it ends before.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: a request may have been sent.
    pub async fn task_says(&mut self, id: &str, text: &str) {
        let mut said = Vec::new();
        while !String::from_utf8_lossy(&said).contains(text) {
            let more = self.output_behind(id, said.len() as u64, true).await;
            let so_far = String::from_utf8_lossy(&said);
            assert!(!more.is_empty(), "it did not say {text:?}, but {so_far:?}");
            said.extend(more);
        }
    }

    async fn output_behind(&mut self, id: &str, from: u64, follow: bool) -> Vec<u8> {
        let params = LogsParams {
            view: exec_protocol::task::LogView::Raw,
            range: Some(exec_protocol::task::Range {
                unit: RangeUnit::Offset,
                from,
                to: None,
            }),
            follow,
            wait_ms: LONG_MS,
            max_bytes: Some(4 << 20),
            ..LogsParams::new(task_ref(id))
        };
        let result = self.call_typed::<Logs>(&params).await;
        let chunks = result.parts.into_iter().map(|part| part.data_base64);
        let Blob(bytes) = chunks.flatten().next().unwrap_or_default();
        bytes.to_vec()
    }

    /// Asks to be told of the tasks of this scope. How they are doing need not be claimed.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the request may have been sent.
    pub async fn subscribe(&mut self, scope: Value) {
        self.may_miss("task/updated");
        self.call("task/subscribe", scope).await;
    }

    /// Claims the oldest `task/settled` of a task.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it stays unclaimed.
    pub async fn settled(&mut self, id: &str) -> SettledParams {
        let is_it = |message: &Value| {
            message["method"] == "task/settled" && message["params"]["task"]["taskId"] == id
        };
        let mut message = self.claim(&format!("task/settled of {id:?}"), is_it).await;
        serde_json::from_value(message["params"].take()).expect("these are its params")
    }

    /// Claims the oldest `task/updated` of a task.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it stays unclaimed.
    pub async fn updated(&mut self, id: &str) -> UpdatedParams {
        let is_it =
            |message: &Value| message["method"] == "task/updated" && message["params"]["taskId"] == id;
        let mut message = self.claim(&format!("task/updated of {id:?}"), is_it).await;
        serde_json::from_value(message["params"].take()).expect("these are its params")
    }
}

fn task_ref(id: &str) -> TaskRef {
    TaskRef::new(id).expect("it is the beginning of an id")
}
