//! `task/subscribe`, `task/updated` and `task/settled`

use serde::{Deserialize, Serialize};

use super::{Attempt, Scope, TaskId, TaskRecord, TaskState};
use crate::{Empty, Group, Method, Notice};

/// `task/subscribe`: from now on this connection is told of tasks. A later one takes the place of an earlier one.
#[derive(Debug)]
pub enum Subscribe {}

impl Method for Subscribe {
    const NAME: &'static str = "task/subscribe";
    const REPEATABLE: bool = true;
    type Params = SubscribeParams;
    type Result = Empty;
}

/// Of which tasks.
pub type SubscribeParams = Scope;

/// `task/updated`: a task has changed, or written something. At most one each second for a task; the last state is
/// always told.
#[derive(Debug)]
pub enum Updated {}

impl Notice for Updated {
    const NAME: &'static str = "task/updated";
    type Params = UpdatedParams;
}

/// How a task is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdatedParams {
    /// The task.
    pub task_id: TaskId,
    /// Of the task.
    pub group: Option<Group>,
    /// Of the task.
    pub parent: Option<Group>,
    /// How far it has come.
    pub state: TaskState,
    /// Its last attempt; 0 if there was none.
    pub attempt: u32,
    /// What that has written so far, in bytes.
    pub bytes: u64,
    /// When it wrote something, in Unix milliseconds.
    pub last_output_at_ms: Option<u64>,
}

/// `task/settled`: an attempt has ended. Once for each.
#[derive(Debug)]
pub enum Settled {}

impl Notice for Settled {
    const NAME: &'static str = "task/settled";
    type Params = SettledParams;
}

/// Which attempt, and what becomes of its task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SettledParams {
    /// The attempt that ended; None if its task was cancelled before it had any.
    pub attempt: Option<Attempt>,
    /// The task as it is now: queued, if another attempt follows.
    pub task: TaskRecord,
}
