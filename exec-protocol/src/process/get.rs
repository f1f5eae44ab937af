//! `process/get`

use serde::{Deserialize, Serialize};

use super::ProcessRecord;
use crate::{Method, ProcessId};

/// `process/get`: everything there is to say of a process but its output.
#[derive(Debug)]
pub enum Get {}

impl Method for Get {
    const NAME: &'static str = "process/get";
    const REPEATABLE: bool = true;
    type Params = GetParams;
    type Result = ProcessRecord;
}

/// Which process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetParams {
    /// The process.
    #[serde(alias = "uid")]
    pub process_id: ProcessId,
}
