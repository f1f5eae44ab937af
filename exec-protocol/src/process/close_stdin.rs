//! `process/closeStdin`

use serde::{Deserialize, Serialize};

use crate::{Method, ProcessId};

/// `process/closeStdin`: end of file, behind what was already accepted.
#[derive(Debug)]
pub enum CloseStdin {}

impl Method for CloseStdin {
    const NAME: &'static str = "process/closeStdin";
    const REPEATABLE: bool = true;
    type Params = CloseStdinParams;
    type Result = CloseStdinResult;
}

/// Whose stdin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CloseStdinParams {
    /// The process.
    #[serde(alias = "uid")]
    pub process_id: ProcessId,
}

/// Whether there will be an end of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseStdinResult {
    /// True if the pipe is or will be closed, or the terminal was given its end-of-file character.
    /// False on a terminal that is not in canonical mode, where no character means that.
    pub closed: bool,
}
