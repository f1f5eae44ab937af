//! `fs/readBlock`

use serde::{Deserialize, Serialize};

use crate::{Blob, HandleId, Method};

/// `fs/readBlock`: a part of a file that was opened for reading.
#[derive(Debug)]
pub enum ReadBlock {}

impl Method for ReadBlock {
    const NAME: &'static str = "fs/readBlock";
    const REPEATABLE: bool = true;
    type Params = ReadBlockParams;
    type Result = ReadBlockResult;
}

/// Which part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadBlockParams {
    /// The handle.
    pub handle_id: HandleId,
    /// Where it begins, in bytes from the file's beginning.
    pub offset: u64,
    /// Its length in bytes, from 1 to the server's limit.
    pub len: u64,
}

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadBlockResult {
    /// Its bytes; fewer than were asked for only where the file ends.
    pub chunk: Blob,
    /// The file ends before there were as many as were asked for.
    pub eof: bool,
}
