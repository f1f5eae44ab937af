//! `fs/readFile`

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::lenient::{is_true, null_as_true, yes};
use crate::{Blob, Method, WirePath};

/// `fs/readFile`: all that a regular file holds.
///
/// For a file that does not fit into a message there are [`Open`](super::Open) and [`ReadBlock`](super::ReadBlock).
#[derive(Debug)]
pub enum ReadFile {}

impl Method for ReadFile {
    const NAME: &'static str = "fs/readFile";
    const REPEATABLE: bool = true;
    type Params = ReadFileParams;
    type Result = ReadFileResult;
}

/// Which file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadFileParams {
    /// Its path.
    pub path: WirePath,
    /// Whether symlinks on the way are followed. False is refused by a server that always does.
    #[serde(
        default = "yes",
        deserialize_with = "null_as_true",
        skip_serializing_if = "is_true"
    )]
    pub follow_symlinks: bool,
    /// A sandbox to keep to. Anything but null is refused by a server that has none.
    #[serde(
        default,
        deserialize_with = "crate::opaque::policy",
        skip_serializing_if = "Option::is_none"
    )]
    pub sandbox: Option<Value>,
}

/// What is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadFileResult {
    /// Its bytes.
    #[serde(rename = "dataBase64")]
    pub data: Blob,
}
