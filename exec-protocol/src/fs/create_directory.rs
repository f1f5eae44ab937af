//! `fs/createDirectory`

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::lenient::{is_true, null_as_true, yes};
use crate::{Empty, Method, WirePath};

/// `fs/createDirectory`: makes a directory.
#[derive(Debug)]
pub enum CreateDirectory {}

impl Method for CreateDirectory {
    const NAME: &'static str = "fs/createDirectory";
    const REPEATABLE: bool = false;
    type Params = CreateDirectoryParams;
    type Result = Empty;
}

/// Which directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateDirectoryParams {
    /// Its path.
    pub path: WirePath,
    /// Those above it are made too, and it may be there already.
    #[serde(default = "yes", deserialize_with = "null_as_true")]
    pub recursive: bool,
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
