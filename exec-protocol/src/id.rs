//! Names that one side makes up and the other repeats.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Longest id of a process, session, write, start or group, in bytes of UTF-8.
///
/// They are kept for every process and repeated in every notification; a UUID with a prefix takes a
/// fifth of it.
pub const MAX_ID_BYTES: usize = 256;

/// An id is longer than [`MAX_ID_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id of {bytes} bytes is longer than {MAX_ID_BYTES}")]
pub struct IdTooLong {
    /// The length of what was given, in bytes.
    pub bytes: usize,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// At most [`MAX_ID_BYTES`] bytes. Cloning is cheap.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes `text` as an id.
            ///
            /// # Errors
            ///
            /// [`IdTooLong`] if it is longer than [`MAX_ID_BYTES`] bytes.
            pub fn new(text: &str) -> Result<Self, IdTooLong> {
                if text.len() > MAX_ID_BYTES {
                    return Err(IdTooLong { bytes: text.len() });
                }
                Ok(Self(text.into()))
            }

            /// The id as it stands on the wire, before JSON escapes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdTooLong;

            fn try_from(text: String) -> Result<Self, IdTooLong> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().into()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// The client's name for a process, unique within its session.
    ProcessId
}

id! {
    /// The server's name for a process: random, and no other process of any session has it.
    Uid
}

id! {
    /// The client's name for a start, so that a repeated one does not run twice.
    StartKey
}

id! {
    /// The client's name for several processes that belong together.
    Group
}

id! {
    /// The client's name for an open file, unique among those of its session.
    HandleId
}

id! {
    /// The server's name for a session. Whoever knows it can resume the session.
    SessionId
}

id! {
    /// The client's name for one write to a process's stdin, so that a repeated one is typed once.
    WriteId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_may_be_256_bytes_and_not_one_more() {
        let longest = "é".repeat(MAX_ID_BYTES / 2);
        assert_eq!(ProcessId::new(&longest).map(String::from), Ok(longest.clone()));
        assert_eq!(
            ProcessId::new(&format!("{longest}x")),
            Err(IdTooLong { bytes: 257 })
        );
    }

    #[test]
    fn a_long_id_is_refused_while_parsing() {
        let json = format!("{:?}", "x".repeat(257));
        let error = serde_json::from_str::<ProcessId>(&json).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("an id of 257 bytes is longer than 256"),
            "{error}"
        );
    }
}
