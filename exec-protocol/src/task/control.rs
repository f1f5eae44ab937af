//! What is done to tasks: `task/stop`, `remove`, `retry`, `write`, `resize`, `signal`, `clean`, `stopGroup`.

use serde::{Deserialize, Serialize};

use super::{TaskId, TaskParams, TaskRecord, TaskRef};
use crate::lenient::null_as_default;
use crate::process::{SignalName, SignalResult, Size, WriteResult};
use crate::{Blob, Empty, Group, Method, WriteId};

/// `task/stop`: ends the running attempt, or takes a queued task back. Answers at once.
#[derive(Debug)]
pub enum Stop {}

impl Method for Stop {
    const NAME: &'static str = "task/stop";
    const REPEATABLE: bool = true;
    type Params = StopParams;
    type Result = StopResult;
}

/// What to stop, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StopParams {
    /// The task's id, or the beginning of it.
    pub task_id: TaskRef,
    /// From the polite signal to the kill, in milliseconds; 0 kills at once. Default: as submitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_ms: Option<u64>,
}

/// What there was to stop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StopResult {
    /// Whether it ran, or waited.
    pub stopped: bool,
    /// The record, as it is now: one that runs has been asked to end.
    pub task: TaskRecord,
}

/// `task/remove`: stops a task and deletes its record and its output. Answers when nothing is left of it.
#[derive(Debug)]
pub enum Remove {}

impl Method for Remove {
    const NAME: &'static str = "task/remove";
    const REPEATABLE: bool = false;
    type Params = StopParams;
    type Result = RemoveResult;
}

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemoveResult {
    /// Its whole id.
    pub task_id: TaskId,
}

/// `task/retry`: another attempt of a task that has ended.
#[derive(Debug)]
pub enum Retry {}

impl Method for Retry {
    const NAME: &'static str = "task/retry";
    const REPEATABLE: bool = false;
    type Params = TaskParams;
    type Result = TaskRecord;
}

/// `task/write`: bytes for the stdin of the running attempt.
#[derive(Debug)]
pub enum Write {}

impl Method for Write {
    const NAME: &'static str = "task/write";
    // With a write id.
    const REPEATABLE: bool = true;
    type Params = WriteParams;
    type Result = WriteResult;
}

/// What to write; as in `process/write`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WriteParams {
    /// The task's id, or the beginning of it.
    pub task_id: TaskRef,
    /// The raw bytes.
    #[serde(default, deserialize_with = "null_as_default")]
    pub chunk: Blob,
    /// Names the write, so that a repeated one is typed once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_id: Option<WriteId>,
    /// Close stdin after these bytes.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub eof: bool,
}

/// `task/resize`: another size for the terminal of the running attempt.
#[derive(Debug)]
pub enum Resize {}

impl Method for Resize {
    const NAME: &'static str = "task/resize";
    const REPEATABLE: bool = true;
    type Params = ResizeParams;
    type Result = Empty;
}

/// Which terminal, and which size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResizeParams {
    /// The task's id, or the beginning of it.
    pub task_id: TaskRef,
    /// The size.
    pub size: Size,
}

/// `task/signal`: a signal for the running attempt.
#[derive(Debug)]
pub enum Signal {}

impl Method for Signal {
    const NAME: &'static str = "task/signal";
    const REPEATABLE: bool = false;
    type Params = SignalParams;
    type Result = SignalResult;
}

/// Which signal, and for whom; as in `process/signal`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignalParams {
    /// The task's id, or the beginning of it.
    pub task_id: TaskRef,
    /// The signal.
    pub signal: SignalName,
}

/// `task/clean`: deletes ended tasks that are old, or too many, with their output.
#[derive(Debug)]
pub enum Clean {}

impl Method for Clean {
    const NAME: &'static str = "task/clean";
    const REPEATABLE: bool = true;
    type Params = CleanParams;
    type Result = CleanResult;
}

/// Which ended tasks go: those that are older, and those that are beyond the count.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CleanParams {
    /// Only those of this group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<Group>,
    /// Those that ended so long ago, in milliseconds. Default: 7 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub older_than_ms: Option<u64>,
    /// How many ended ones each group keeps, the latest. Default: 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_per_group: Option<u32>,
}

/// What was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CleanResult {
    /// How many tasks.
    pub removed: u64,
    /// How much output, in bytes.
    pub freed_bytes: u64,
}

/// `task/stopGroup`: a workspace closes. All its tasks end, and nobody is told of that by notices. Answers when they have.
#[derive(Debug)]
pub enum StopGroup {}

impl Method for StopGroup {
    const NAME: &'static str = "task/stopGroup";
    const REPEATABLE: bool = true;
    type Params = StopGroupParams;
    type Result = StopGroupResult;
}

/// Which group, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StopGroupParams {
    /// The group.
    pub group: Group,
    /// From the polite signal to the kill, in milliseconds; 0 kills at once. Default: as submitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_ms: Option<u64>,
}

/// What there was to stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StopGroupResult {
    /// How many ran.
    pub stopped: u64,
    /// How many waited.
    pub cancelled: u64,
}
