//! `fs/writeBlock`

use serde::{Deserialize, Serialize};

use crate::{Blob, Empty, HandleId, Method};

/// `fs/writeBlock`: a part of the new contents of a file that was opened for them.
#[derive(Debug)]
pub enum WriteBlock {}

impl Method for WriteBlock {
    const NAME: &'static str = "fs/writeBlock";
    const REPEATABLE: bool = true;
    type Params = WriteBlockParams;
    type Result = Empty;
}

/// Which part, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WriteBlockParams {
    /// The handle.
    pub handle_id: HandleId,
    /// Where it begins, in bytes from the file's beginning. What no block covers is zeros.
    pub offset: u64,
    /// Its bytes, from 1 to the server's limit.
    pub chunk: Blob,
}
