//! `task/notices` and `task/ack`

use serde::{Deserialize, Serialize};

use super::{Scope, TaskId, TaskState};
use crate::bounded::{MAX_IDS, list};
use crate::{Group, Method};

/// `task/notices`: the ends that nobody has acknowledged, oldest first, at most 1,000.
#[derive(Debug)]
pub enum Notices {}

impl Method for Notices {
    const NAME: &'static str = "task/notices";
    const REPEATABLE: bool = true;
    type Params = NoticesParams;
    type Result = NoticesResult;
}

/// Of which tasks.
pub type NoticesParams = Scope;

/// Ends that were not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoticesResult {
    /// The notices.
    pub notices: Vec<Notice>,
    /// How many there are beside these.
    pub more: u64,
}

/// The end of a task. It comes again until it is acknowledged, also after a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// Its number, for [`Ack`]. Later notices have higher ones.
    pub notice_id: u64,
    /// The task.
    pub task_id: TaskId,
    /// The attempt with which it ended; 0 if there was none.
    pub attempt: u32,
    /// Of the task.
    pub group: Option<Group>,
    /// Of the task.
    pub parent: Option<Group>,
    /// How it ended.
    pub state: TaskState,
    /// Its exit code, if it has one.
    pub exit_code: Option<i32>,
    /// When it ended, in Unix milliseconds.
    pub at_ms: u64,
    /// Title, outcome, duration, exit code and the end of the last line of output, in one line.
    pub summary: String,
}

/// `task/ack`: notices need not come again.
#[derive(Debug)]
pub enum Ack {}

impl Method for Ack {
    const NAME: &'static str = "task/ack";
    const REPEATABLE: bool = true;
    type Params = AckParams;
    type Result = AckResult;
}

/// Which notices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AckParams {
    /// Their numbers; at most 1,000. Those that are not known are acknowledged already.
    #[serde(deserialize_with = "list::<MAX_IDS, _, _>")]
    pub notice_ids: Vec<u64>,
}

/// What was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AckResult {
    /// How many of them were pending.
    pub acked: u64,
}
