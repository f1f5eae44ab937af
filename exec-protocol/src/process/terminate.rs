//! `process/terminate`

use serde::{Deserialize, Serialize};

use super::EndReason;
use super::target::{Target, about_one_process};
use crate::Method;

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

about_one_process! {
    /// Which process.
    pub struct TerminateParams {
        /// The process.
        pub process: Target,
        /// From the polite signal to the kill, in milliseconds; 0 kills at once. If it is given, what a closed process
        /// left behind is ended too. Default: what its start said, or the server's `limits.terminateGraceMs`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub grace_ms: Option<u64>,
    }
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TerminateResult {
    /// Whether the process had not exited yet.
    pub running: bool,
    /// Why it has ended, if it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<EndReason>,
}
