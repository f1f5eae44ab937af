//! `process/forget`

use serde::{Deserialize, Serialize};

use crate::{Method, ProcessId};

/// `process/forget`: an ended process need not be kept any longer; its id is free.
#[derive(Debug)]
pub enum Forget {}

impl Method for Forget {
    const NAME: &'static str = "process/forget";
    const REPEATABLE: bool = true;
    type Params = ForgetParams;
    type Result = ForgetResult;
}

/// Which process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForgetParams {
    /// The process.
    #[serde(alias = "uid")]
    pub process_id: ProcessId,
}

/// Whether it was forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgetResult {
    /// False if it is not closed yet, or not known.
    pub forgotten: bool,
}
