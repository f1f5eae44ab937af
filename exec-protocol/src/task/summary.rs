//! `task/summary`

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{TaskRecord, TaskState};
use crate::{Group, Method};

/// `task/summary`: how the tasks of a group, of a parent, or all of them are doing.
#[derive(Debug)]
pub enum Summary {}

impl Method for Summary {
    const NAME: &'static str = "task/summary";
    const REPEATABLE: bool = true;
    type Params = Scope;
    type Result = SummaryResult;
}

/// The tasks of a group, of a parent, of both, or all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Scope {
    /// Those of this group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<Group>,
    /// Those of this parent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Group>,
}

/// How they are doing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SummaryResult {
    /// How many are in each state; every state is there.
    pub counts: BTreeMap<TaskState, u64>,
    /// Those that run or wait, the newest 20.
    pub active: Vec<TaskRecord>,
    /// Those that ended last, the newest 20.
    pub latest_ended: Vec<TaskRecord>,
}
