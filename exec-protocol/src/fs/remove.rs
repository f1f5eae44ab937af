//! `fs/remove`

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::lenient::{is_true, null_as_true, yes};
use crate::{Empty, Method, WirePath};

/// `fs/remove`: removes a file, a directory, or a symlink but not what it leads to.
#[derive(Debug)]
pub enum Remove {}

impl Method for Remove {
    const NAME: &'static str = "fs/remove";
    const REPEATABLE: bool = false;
    type Params = RemoveParams;
    type Result = Empty;
}

/// What is to go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemoveParams {
    /// Its path.
    pub path: WirePath,
    /// A directory goes with all that is in it; else it has to be empty.
    #[serde(default = "yes", deserialize_with = "null_as_true")]
    pub recursive: bool,
    /// It need not be there.
    #[serde(default = "yes", deserialize_with = "null_as_true")]
    pub force: bool,
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
