//! `fs/readDirectory`

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Method, WirePath};

/// `fs/readDirectory`: what is in a directory, by name.
#[derive(Debug)]
pub enum ReadDirectory {}

impl Method for ReadDirectory {
    const NAME: &'static str = "fs/readDirectory";
    const REPEATABLE: bool = true;
    type Params = ReadDirectoryParams;
    type Result = ReadDirectoryResult;
}

/// Which directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadDirectoryParams {
    /// Its path.
    pub path: WirePath,
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
pub struct ReadDirectoryResult {
    /// All entries, in the order of the bytes of their names.
    pub entries: Vec<DirectoryEntry>,
}

/// One entry of a directory. Symlinks are followed; one that leads nowhere is neither a directory nor a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryEntry {
    /// Its name, for people: where it is not UTF-8, the bytes that are not are replaced.
    pub file_name: String,
    /// It is a directory.
    pub is_directory: bool,
    /// It is a regular file.
    pub is_file: bool,
    /// Its path, with every byte. None if the server does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<WirePath>,
}
