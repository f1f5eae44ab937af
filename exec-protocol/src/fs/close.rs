//! `fs/close`

use serde::{Deserialize, Serialize};

use crate::{Empty, HandleId, Method};

/// `fs/close`: gives a handle back. One for writing puts the new contents in place.
///
/// A handle that is not open is as good as closed. It is not repeated: if it failed, the second answer would not say so.
#[derive(Debug)]
pub enum Close {}

impl Method for Close {
    const NAME: &'static str = "fs/close";
    const REPEATABLE: bool = false;
    type Params = CloseParams;
    type Result = Empty;
}

/// Which handle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CloseParams {
    /// The handle.
    pub handle_id: HandleId,
}
