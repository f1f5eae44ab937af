//! Members that may hold anything, and whose contents mean nothing to whoever reads them.
//!
//! Built from its text, a value takes many times as much memory: sixteen times, if it is a list of digits. So the text is
//! looked at first.

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;
use serde_json::value::RawValue;

/// Longest text of such a member that is built, in bytes.
///
/// What is kept of notes is far less, and the longest policies that clients send have a few KiB.
const MAX_OPAQUE_BYTES: usize = 64 << 10;

/// Reads notes that the peer makes for itself. Longer ones than anybody would keep are read as none.
pub(crate) fn notes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    match text(deserializer)? {
        Some(text) if text.get().len() <= MAX_OPAQUE_BYTES => build(&text).map(Some),
        Some(_) | None => Ok(None),
    }
}

/// Reads a policy that has to be kept to. One that is too long is refused, as it must not be taken for none.
pub(crate) fn policy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    match text(deserializer)? {
        Some(text) if text.get().len() <= MAX_OPAQUE_BYTES => build(&text).map(Some),
        Some(_) => Err(de::Error::custom(format!("longer than {MAX_OPAQUE_BYTES} bytes"))),
        None => Ok(None),
    }
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Option::deserialize(deserializer)
}

fn build<E: de::Error>(text: &RawValue) -> Result<Value, E> {
    serde_json::from_str(text.get()).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Both {
        #[serde(default, deserialize_with = "notes")]
        notes: Option<Value>,
        #[serde(default, deserialize_with = "policy")]
        policy: Option<Value>,
    }

    fn read(text: &str) -> Result<Both, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_short_is_there_and_null_is_as_good_as_absent() {
        let value = Some(serde_json::json!({"a": [1]}));
        let both = Both {
            notes: value.clone(),
            policy: value,
        };
        assert_eq!(read(r#"{"notes": {"a":[1]}, "policy": {"a":[1]}}"#), Ok(both));
        let none = Both {
            notes: None,
            policy: None,
        };
        assert_eq!(read(r#"{"notes": null, "policy": null}"#).as_ref(), Ok(&none));
        assert_eq!(read("{}"), Ok(none));
    }

    #[test]
    fn notes_that_are_too_long_are_none_and_a_policy_is_refused() {
        let long = vec!["0"; MAX_OPAQUE_BYTES].join(",");
        let notes = read(&format!(r#"{{"notes":[{long}]}}"#)).unwrap();
        assert_eq!(notes.notes, None);
        let error = read(&format!(r#"{{"policy":[{long}]}}"#)).unwrap_err();
        assert!(error.starts_with("longer than 65536 bytes"), "{error}");
    }
}
