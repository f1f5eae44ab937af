//! `fs/writeFile`

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::lenient::{is_true, null_as_true, yes};
use crate::{Blob, Empty, Method, WirePath};

/// `fs/writeFile`: gives a file new contents, all at once, or makes one. Its directory has to be there.
#[derive(Debug)]
pub enum WriteFile {}

impl Method for WriteFile {
    const NAME: &'static str = "fs/writeFile";
    const REPEATABLE: bool = true;
    type Params = WriteFileParams;
    type Result = Empty;
}

/// Which file, and what is to be in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WriteFileParams {
    /// Its path.
    pub path: WirePath,
    /// Its bytes.
    #[serde(rename = "dataBase64")]
    pub data: Blob,
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
