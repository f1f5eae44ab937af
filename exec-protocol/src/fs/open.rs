//! `fs/open`

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::lenient::null_as_default;
use crate::{HandleId, Method, WirePath};

/// `fs/open`: a handle on a regular file, to read or write it block by block.
///
/// It is the session's: a connection that resumes the session has it too.
#[derive(Debug)]
pub enum Open {}

impl Method for Open {
    const NAME: &'static str = "fs/open";
    const REPEATABLE: bool = false;
    type Params = OpenParams;
    type Result = OpenResult;
}

/// Which file, and what for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenParams {
    /// The client's name for the handle, unique among those that are open.
    pub handle_id: HandleId,
    /// The file's path.
    pub path: WirePath,
    /// What for.
    #[serde(default, deserialize_with = "null_as_default")]
    pub mode: OpenMode,
    /// A sandbox to keep to. Anything but null is refused by a server that has none.
    #[serde(
        default,
        deserialize_with = "crate::opaque::policy",
        skip_serializing_if = "Option::is_none"
    )]
    pub sandbox: Option<Value>,
}

/// What a handle is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OpenMode {
    /// Reading.
    #[default]
    Read,
    /// Writing new contents, which take the place of the old ones when the handle is closed.
    Replace,
}

/// The handle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenResult {
    /// As it was asked for.
    pub handle_id: HandleId,
}
