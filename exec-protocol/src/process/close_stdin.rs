//! `process/closeStdin`

use serde::{Deserialize, Serialize};

use super::target::{Target, about_one_process};
use crate::Method;

/// `process/closeStdin`: end of file, behind what was already accepted.
#[derive(Debug)]
pub enum CloseStdin {}

impl Method for CloseStdin {
    const NAME: &'static str = "process/closeStdin";
    const REPEATABLE: bool = true;
    type Params = CloseStdinParams;
    type Result = CloseStdinResult;
}

about_one_process! {
    /// Whose stdin.
    pub struct CloseStdinParams {
        /// The process.
        pub process: Target,
    }
}

/// Whether there will be an end of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseStdinResult {
    /// True if the pipe is or will be closed, or the terminal was given its end-of-file character.
    /// False on a terminal that is not in canonical mode, where no character means that.
    pub closed: bool,
}
