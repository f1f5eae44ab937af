//! Names of tasks.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Longest id of a task, in bytes.
pub const MAX_TASK_ID_BYTES: usize = 64;

/// The name of a task, unique on its server: 1 to 64 letters, digits, `.`, `_` and `-`, the first of them a letter or a
/// digit. It is also the name of a directory, and what people type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaskId(Arc<str>);

/// The name of a task, or how the name of one task alone begins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaskRef(TaskId);

/// A text that is no id of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a task's id has 1 to {MAX_TASK_ID_BYTES} letters, digits, '.', '_' and '-', the first of them a letter or a digit"
)]
pub struct InvalidTaskId;

impl TaskId {
    /// Takes `text` as an id.
    ///
    /// # Errors
    ///
    /// [`InvalidTaskId`] if it is none.
    pub fn new(text: &str) -> Result<Self, InvalidTaskId> {
        let is_first = |byte: &u8| byte.is_ascii_alphanumeric();
        let is_any = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let is_id = text.as_bytes().first().is_some_and(is_first) && text.bytes().all(is_any);
        if !is_id || text.len() > MAX_TASK_ID_BYTES {
            return Err(InvalidTaskId);
        }
        Ok(Self(text.into()))
    }

    /// The id as a text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TaskRef {
    /// Takes `text` as an id, or its beginning.
    ///
    /// # Errors
    ///
    /// [`InvalidTaskId`] if no id begins so.
    pub fn new(text: &str) -> Result<Self, InvalidTaskId> {
        TaskId::new(text).map(Self)
    }

    /// The reference as a text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<String> for TaskId {
    type Error = InvalidTaskId;

    fn try_from(text: String) -> Result<Self, InvalidTaskId> {
        Self::new(&text)
    }
}

impl TryFrom<String> for TaskRef {
    type Error = InvalidTaskId;

    fn try_from(text: String) -> Result<Self, InvalidTaskId> {
        Self::new(&text)
    }
}

impl From<TaskId> for TaskRef {
    fn from(id: TaskId) -> Self {
        Self(id)
    }
}

impl From<TaskId> for String {
    fn from(id: TaskId) -> Self {
        id.as_str().to_owned()
    }
}

impl From<TaskRef> for String {
    fn from(id: TaskRef) -> Self {
        id.as_str().to_owned()
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TaskRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_name_of_a_directory_that_is_typed_easily() {
        for good in ["a", "7", "build-2026.11_x", &"x".repeat(64)] {
            assert_eq!(TaskId::new(good).map(String::from).as_deref(), Ok(good));
        }
        for bad in [
            "",
            ".",
            "..",
            "-x",
            "_x",
            "a/b",
            "a b",
            "ä",
            "a\0",
            &"x".repeat(65),
        ] {
            assert_eq!(TaskId::new(bad), Err(InvalidTaskId), "{bad:?}");
            assert!(serde_json::from_value::<TaskRef>(bad.into()).is_err(), "{bad:?}");
        }
    }
}
