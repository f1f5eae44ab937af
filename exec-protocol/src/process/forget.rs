//! `process/forget`

use serde::{Deserialize, Serialize};

use super::target::{Target, about_one_process};
use crate::Method;

/// `process/forget`: an ended process need not be kept any longer; its id is free.
#[derive(Debug)]
pub enum Forget {}

impl Method for Forget {
    const NAME: &'static str = "process/forget";
    const REPEATABLE: bool = true;
    type Params = ForgetParams;
    type Result = ForgetResult;
}

about_one_process! {
    /// Which process.
    pub struct ForgetParams {
        /// The process.
        pub process: Target,
    }
}

/// Whether it was forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgetResult {
    /// False if it is not closed yet, or not known.
    pub forgotten: bool,
}
