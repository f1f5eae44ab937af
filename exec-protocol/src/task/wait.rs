//! `task/wait`

use serde::{Deserialize, Serialize};

use super::{TaskId, TaskRecord, TaskRef};
use crate::bounded::{MAX_IDS, null_as_empty};
use crate::lenient::null_as_default;
use crate::process::WaitMode;
use crate::{Group, Method};

/// `task/wait`: waits for the ends of tasks. Answers at once with what has ended, if that is enough.
#[derive(Debug)]
pub enum Wait {}

impl Method for Wait {
    const NAME: &'static str = "task/wait";
    const REPEATABLE: bool = true;
    type Params = WaitParams;
    type Result = WaitResult;
}

/// For which. A group, or a parent, stands for the tasks that it has when the call comes and that have not ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WaitParams {
    /// Their ids, or the beginnings of them; at most 1,000.
    #[serde(
        deserialize_with = "null_as_empty::<MAX_IDS, _, _>",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub task_ids: Vec<TaskRef>,
    /// All that are active in this group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<Group>,
    /// All that are active of this parent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Group>,
    /// Whether one end is enough.
    #[serde(deserialize_with = "null_as_default")]
    pub mode: WaitMode,
    /// How long to wait at most, in milliseconds. Default: not at all. What is longer than `limits.readWaitMs` is shortened.
    #[serde(deserialize_with = "null_as_default")]
    pub wait_ms: u64,
}

/// What has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitResult {
    /// Those that have ended.
    pub settled: Vec<TaskRecord>,
    /// Those that have not.
    pub pending: Vec<TaskId>,
    /// Those that were removed meanwhile.
    pub removed: Vec<TaskId>,
    /// Whether the time was over before enough had ended.
    pub timed_out: bool,
}
