//! `task/list` and `task/get`

use serde::{Deserialize, Serialize};

use super::{LaneName, TaskId, TaskRecord, TaskRef, TaskState};
use crate::bounded::{MAX_CHOICES, null_as_empty};
use crate::lenient::labels;
use crate::{Group, Method, StringMap};

/// `task/list`: the records of many tasks, the newest first.
#[derive(Debug)]
pub enum List {}

impl Method for List {
    const NAME: &'static str = "task/list";
    const REPEATABLE: bool = true;
    type Params = ListParams;
    type Result = ListResult;
}

/// Which tasks. What is not given does not narrow the choice.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListParams {
    /// Those of this group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<Group>,
    /// Those of this parent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Group>,
    /// Those of this lane.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lane: Option<LaneName>,
    /// Those in one of these states.
    #[serde(
        deserialize_with = "null_as_empty::<MAX_CHOICES, _, _>",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub states: Vec<TaskState>,
    /// Those that have all of these labels.
    #[serde(deserialize_with = "labels", skip_serializing_if = "StringMap::is_empty")]
    pub labels: StringMap,
    /// Those whose title has this text in it, whatever the case of its letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Those that come behind this one: the `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<TaskId>,
    /// How many at most, 1 to 1,000. Default: 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A page of tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListResult {
    /// Their records.
    pub records: Vec<TaskRecord>,
    /// For the `after` of the next page; None if there are no more.
    pub next: Option<TaskId>,
}

/// `task/get`: the record of one task.
#[derive(Debug)]
pub enum Get {}

impl Method for Get {
    const NAME: &'static str = "task/get";
    const REPEATABLE: bool = true;
    type Params = TaskParams;
    type Result = TaskRecord;
}

/// Which task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskParams {
    /// Its id, or the beginning of it.
    pub task_id: TaskRef,
}
