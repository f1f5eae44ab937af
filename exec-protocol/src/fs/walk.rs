//! `fs/walk`

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::lenient::null_as_default;
use crate::{Method, WirePath};

/// `fs/walk`: the files and directories below a directory, level by level.
#[derive(Debug)]
pub enum Walk {}

impl Method for Walk {
    const NAME: &'static str = "fs/walk";
    const REPEATABLE: bool = true;
    type Params = WalkParams;
    type Result = WalkResult;
}

/// From where, and how far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WalkParams {
    /// The directory at the top, which is not among the entries.
    pub path: WirePath,
    /// How far to go.
    #[serde(default, deserialize_with = "null_as_default")]
    pub options: WalkOptions,
    /// A sandbox to keep to. Anything but null is refused by a server that has none.
    #[serde(
        default,
        deserialize_with = "crate::opaque::policy",
        skip_serializing_if = "Option::is_none"
    )]
    pub sandbox: Option<Value>,
}

/// How far a walk goes. Each of the numbers is shortened to the server's limit, and is that where it is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WalkOptions {
    /// Levels of directories below the top that are looked into; with 0 only the top is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_depth: Option<u64>,
    /// Directories that are looked into, the top included. More than 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_directories: Option<u64>,
    /// Entries in the answer. More than 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_entries: Option<u64>,
    /// A symlink to a directory counts as one. Each directory is looked into once, however many ways lead to it.
    #[serde(default, deserialize_with = "null_as_default")]
    pub follow_directory_symlinks: bool,
    /// Directories whose names begin with a dot are not looked into.
    #[serde(default, deserialize_with = "null_as_default")]
    pub prune_hidden_directories: bool,
}

/// What a walk found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalkResult {
    /// Files and directories; those of one directory in the order of the bytes of their names. Devices, sockets, FIFOs,
    /// and symlinks that are not followed are left out.
    pub entries: Vec<WalkEntry>,
    /// What could not be looked at.
    pub errors: Vec<WalkError>,
    /// There is more: a limit was reached.
    pub truncated: bool,
}

/// A file or a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalkEntry {
    /// Its path.
    pub path: WirePath,
    /// Which of the two.
    pub kind: WalkKind,
}

/// What an entry of a walk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WalkKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
}

/// Something that could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalkError {
    /// Its path.
    pub path: WirePath,
    /// Why, for people.
    pub message: String,
}
