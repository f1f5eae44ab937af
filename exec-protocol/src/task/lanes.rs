//! `task/lanes`

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::lenient::null_as_default;
use crate::{IdTooLong, MAX_ID_BYTES, Method};

/// `task/lanes`: the lanes there are. With params, one of them is changed or made first.
#[derive(Debug)]
pub enum Lanes {}

impl Method for Lanes {
    const NAME: &'static str = "task/lanes";
    const REPEATABLE: bool = true;
    type Params = LanesParams;
    type Result = LanesResult;
}

/// The name of a lane: tasks of one lane take turns. At most 256 bytes; `default` where it is left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LaneName(Arc<str>);

impl LaneName {
    /// Takes `text` as a name.
    ///
    /// # Errors
    ///
    /// [`IdTooLong`] if it has more than 256 bytes.
    pub fn new(text: &str) -> Result<Self, IdTooLong> {
        if text.len() > MAX_ID_BYTES {
            return Err(IdTooLong { bytes: text.len() });
        }
        Ok(Self(text.into()))
    }

    /// The name as a text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for LaneName {
    fn default() -> Self {
        Self("default".into())
    }
}

impl TryFrom<String> for LaneName {
    type Error = IdTooLong;

    fn try_from(text: String) -> Result<Self, IdTooLong> {
        Self::new(&text)
    }
}

impl From<LaneName> for String {
    fn from(name: LaneName) -> Self {
        name.as_str().to_owned()
    }
}

/// Which lane is to be changed, if any.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LanesParams {
    /// The lane to change. One that is not there yet is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lane: Option<LaneName>,
    /// How many of its tasks may run at a time, 0 to 1,000; with 0 none begins. Kept across restarts.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Option::is_none")]
    pub max_parallel: Option<u32>,
}

/// The lanes there are, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LanesResult {
    /// Those that were made, or have tasks that did not end.
    pub lanes: Vec<Lane>,
}

/// A lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lane {
    /// Its name.
    pub lane: LaneName,
    /// How many of its tasks may run at a time.
    pub max_parallel: u32,
    /// How many run.
    pub running: u64,
    /// How many wait.
    pub queued: u64,
}
