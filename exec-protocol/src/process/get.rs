//! `process/get`

use super::ProcessRecord;
use super::target::{Target, about_one_process};
use crate::Method;

/// `process/get`: everything there is to say of a process but its output.
#[derive(Debug)]
pub enum Get {}

impl Method for Get {
    const NAME: &'static str = "process/get";
    const REPEATABLE: bool = true;
    type Params = GetParams;
    type Result = ProcessRecord;
}

about_one_process! {
    /// Which process.
    pub struct GetParams {
        /// The process.
        pub process: Target,
    }
}
