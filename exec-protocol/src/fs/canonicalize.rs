//! `fs/canonicalize`

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Method, WirePath};

/// `fs/canonicalize`: a path without symlinks, `.` and `..`.
#[derive(Debug)]
pub enum Canonicalize {}

impl Method for Canonicalize {
    const NAME: &'static str = "fs/canonicalize";
    const REPEATABLE: bool = true;
    type Params = CanonicalizeParams;
    type Result = CanonicalizeResult;
}

/// Which path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CanonicalizeParams {
    /// The path. What it leads to has to be there.
    pub path: WirePath,
    /// A sandbox to keep to. Anything but null is refused by a server that has none.
    #[serde(
        default,
        deserialize_with = "crate::opaque::policy",
        skip_serializing_if = "Option::is_none"
    )]
    pub sandbox: Option<Value>,
}

/// Where it leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanonicalizeResult {
    /// The path of the same thing, by directories alone.
    pub path: WirePath,
}
