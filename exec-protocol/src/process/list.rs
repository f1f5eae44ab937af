//! `process/list`

use serde::{Deserialize, Serialize};

use super::{ProcessRecord, ProcessState};
use crate::lenient::{labels, null_as_default};
use crate::{Group, Method, StringMap};

/// `process/list`: the records of many processes, in the order of their starts.
#[derive(Debug)]
pub enum List {}

impl Method for List {
    const NAME: &'static str = "process/list";
    const REPEATABLE: bool = true;
    type Params = ListParams;
    type Result = ListResult;
}

/// Which processes. What is not given does not narrow the choice.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListParams {
    /// Those of this group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<Group>,
    /// Those in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ProcessState>,
    /// Those that have all of these labels.
    #[serde(deserialize_with = "labels", skip_serializing_if = "StringMap::is_empty")]
    pub labels: StringMap,
    /// Where to look.
    #[serde(deserialize_with = "null_as_default")]
    pub scope: Scope,
}

/// Whose processes are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Scope {
    /// Those of the session.
    #[default]
    Session,
    /// Beside them those of any session that were started to outlive it.
    Server,
}

/// The processes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListResult {
    /// Their records.
    pub records: Vec<ProcessRecord>,
}
