//! What goes back with an answer.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;

/// Longest id of a request, in bytes of JSON.
///
/// It is kept until the answer and repeated in it; the longest ids in use are UUIDs.
pub(super) const MAX_REQUEST_ID_BYTES: usize = 1024;

/// The id of a request: the text of a JSON string or number, to be echoed as it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId<'a>(Cow<'a, str>);

impl<'a> RequestId<'a> {
    /// The id of a request of ours.
    pub fn number(number: u64) -> RequestId<'static> {
        RequestId(number.to_string().into())
    }

    /// The id as JSON.
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// The same id, free of the message it came in.
    pub fn into_owned(self) -> RequestId<'static> {
        RequestId(self.0.into_owned().into())
    }

    /// Takes the text of a JSON value as an id, if it is one that is taken.
    pub(super) fn new(json: &'a str) -> Option<Self> {
        let is_scalar = json.starts_with(|c: char| c == '"' || c == '-' || c.is_ascii_digit());
        (is_scalar && json.len() <= MAX_REQUEST_ID_BYTES).then_some(Self(json.into()))
    }
}

impl Serialize for RequestId<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json: &RawValue = serde_json::from_str(&self.0).expect("an id is the text of a JSON value");
        json.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RequestId<'static> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        RequestId::new(json.get())
            .map(RequestId::into_owned)
            .ok_or_else(|| {
                de::Error::custom("an id is a string or a number, and not longer than 1,024 bytes")
            })
    }
}

impl fmt::Display for RequestId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
