//! `fs/getMetadata`

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::lenient::{is_true, null_as_true, yes};
use crate::{Method, WirePath};

/// `fs/getMetadata`: what a path leads to.
#[derive(Debug)]
pub enum GetMetadata {}

impl Method for GetMetadata {
    const NAME: &'static str = "fs/getMetadata";
    const REPEATABLE: bool = true;
    type Params = GetMetadataParams;
    type Result = Metadata;
}

/// Of what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetMetadataParams {
    /// The path.
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

/// What a path leads to. Symlinks are followed, but for `is_symlink`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// It is a directory.
    pub is_directory: bool,
    /// It is a regular file. Neither this nor a directory: a device, a socket or a FIFO.
    pub is_file: bool,
    /// The path itself is a symlink.
    pub is_symlink: bool,
    /// Its length in bytes.
    pub size: u64,
    /// When it was made, in Unix milliseconds. 0 if the file system does not know.
    pub created_at_ms: u64,
    /// When its contents last changed, in Unix milliseconds. 0 if the file system does not know.
    pub modified_at_ms: u64,
}
