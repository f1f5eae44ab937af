//! Sessions.

use crate::{Empty, Method};

/// `session/close`: ends the session and its processes now. Answered when they have ended.
///
/// Carried out even if the client hangs up before the answer. Processes that were started to outlive their
/// session do.
#[derive(Debug)]
pub enum Close {}

impl Method for Close {
    const NAME: &'static str = "session/close";
    const REPEATABLE: bool = false;
    type Params = Empty;
    type Result = Empty;
}
