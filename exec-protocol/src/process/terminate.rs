//! `process/terminate`

use serde::{Deserialize, Serialize};

use crate::{Method, ProcessId};

/// `process/terminate`: asks the process to end, and kills it when it does not.
///
/// Answered at once with the state it found, and carried out even if the client hangs up before the
/// answer. Never an error: on a closed or unknown process it touches nothing.
#[derive(Debug)]
pub enum Terminate {}

impl Method for Terminate {
    const NAME: &'static str = "process/terminate";
    const REPEATABLE: bool = true;
    type Params = TerminateParams;
    type Result = TerminateResult;
}

/// Which process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TerminateParams {
    /// The process.
    pub process_id: ProcessId,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminateResult {
    /// Whether the process had not exited yet.
    pub running: bool,
}
