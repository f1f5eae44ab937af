//! `fs/copy`

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::lenient::null_as_default;
use crate::{Empty, Method, WirePath};

/// `fs/copy`: copies a regular file, a symlink as a symlink, or a directory with all that is in it.
#[derive(Debug)]
pub enum Copy {}

impl Method for Copy {
    const NAME: &'static str = "fs/copy";
    const REPEATABLE: bool = false;
    type Params = CopyParams;
    type Result = Empty;
}

/// From where to where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CopyParams {
    /// What is copied.
    pub source_path: WirePath,
    /// What becomes the copy. A file that is there gets the contents and the mode; a directory that is there gets the
    /// entries beside its own.
    pub destination_path: WirePath,
    /// It may be a directory.
    #[serde(default, deserialize_with = "null_as_default")]
    pub recursive: bool,
    /// A sandbox to keep to. Anything but null is refused by a server that has none.
    #[serde(
        default,
        deserialize_with = "crate::opaque::policy",
        skip_serializing_if = "Option::is_none"
    )]
    pub sandbox: Option<Value>,
}
