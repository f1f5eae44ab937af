//! Lists that are refused while they are read: what is too long is never built.
//!
//! Whoever reads messages does so for all of its peers, and a message has room for millions of elements.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Most words of an `argv`.
///
/// With the usual limit of the stack (8 MiB) Linux takes 2 MiB of words and variables. Each costs its length and nine bytes
/// more, so it refuses any longer list by itself.
pub const MAX_ARGUMENTS: usize = 262_144;

/// Most globs of one list of an environment's policy.
///
/// A policy that was written by hand has a dozen; one that names each variable of a large environment, some thousands.
pub const MAX_GLOBS: usize = 4096;

/// Most ids of one list.
///
/// Methods take 1,000 or 4,096 of them, and tell so themselves; a client that repeats some is told how many count.
pub const MAX_IDS: usize = 16_384;

/// Most words of a list that chooses among a few.
///
/// There are six states of a task, and three reasons to try it again.
pub const MAX_CHOICES: usize = 64;

/// A list of at most so many elements. Null is not one.
struct Bounded<T, const MOST: usize>(Vec<T>);

/// Reads a list.
pub(crate) fn list<'de, const MOST: usize, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Bounded::<T, MOST>::deserialize(deserializer).map(|list| list.0)
}

/// Reads a list that may be null.
pub(crate) fn optional_list<'de, const MOST: usize, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<Bounded<T, MOST>>::deserialize(deserializer).map(|list| list.map(|list| list.0))
}

/// Reads a list, and null as an empty one.
pub(crate) fn null_as_empty<'de, const MOST: usize, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    optional_list::<MOST, D, T>(deserializer).map(Option::unwrap_or_default)
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Bounded<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Elements(PhantomData))
    }
}

struct Elements<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Elements<T, MOST> {
    type Value = Bounded<T, MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            if list.len() == MOST {
                return Err(de::Error::custom(format_args!(
                    "a list of more than {MOST} elements"
                )));
            }
            list.push(element);
        }
        Ok(Bounded(list))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{StartParams, WaitParams as ProcessWait};
    use crate::task::{AckParams, ListParams, SubmitParams, WaitParams as TaskWait};
    use crate::{ErrorKind, ParamsError, parse_params};

    /// Params with a list of so many of these elements in them.
    fn with_list(before: &str, element: &str, count: usize, behind: &str) -> String {
        format!("{before}{}{behind}", vec![element; count].join(","))
    }

    /// Checks that a list may have so many elements, and not one more.
    fn is_bounded<P: de::DeserializeOwned + fmt::Debug>(
        field: &str,
        most: usize,
        before: &str,
        element: &str,
        behind: &str,
    ) {
        let longest = with_list(before, element, most, behind);
        assert!(parse_params::<P>(Some(&longest)).is_ok(), "{field}");
        // Nothing behind it is looked at.
        let longer = with_list(before, element, most + 1, ",}");
        let refusal = ParamsError {
            kind: ErrorKind::InvalidParams,
            field: Some(field.to_owned()),
            message: format!("a list of more than {most} elements"),
        };
        assert_eq!(parse_params::<P>(Some(&longer)).unwrap_err(), refusal);
    }

    #[test]
    fn each_list_of_a_request_has_its_bound() {
        let start = |more: &str| format!(r#"{{"processId":"p","argv":["a"],{more}"#);
        is_bounded::<StartParams>(
            "argv",
            MAX_ARGUMENTS,
            r#"{"processId":"p","argv":["#,
            r#""""#,
            "]}",
        );
        is_bounded::<SubmitParams>("argv", MAX_ARGUMENTS, r#"{"argv":["#, r#""""#, "]}");
        for glob in ["exclude", "includeOnly"] {
            let (field, list) = (
                format!("envPolicy.{glob}"),
                format!(r#""envPolicy":{{"{glob}":["#),
            );
            is_bounded::<StartParams>(&field, MAX_GLOBS, &start(&list), r#""*""#, "]}}");
            is_bounded::<SubmitParams>(&field, MAX_GLOBS, &format!("{{{list}"), r#""*""#, "]}}");
        }
        let until = r#"],"until":{"kind":"exited"}}"#;
        is_bounded::<ProcessWait>("processIds", MAX_IDS, r#"{"processIds":["#, r#""p""#, until);
        is_bounded::<TaskWait>("taskIds", MAX_IDS, r#"{"taskIds":["#, r#""t""#, "]}");
        is_bounded::<AckParams>("noticeIds", MAX_IDS, r#"{"noticeIds":["#, "1", "]}");
        is_bounded::<ListParams>("states", MAX_CHOICES, r#"{"states":["#, r#""queued""#, "]}");
        let retry = r#"{"retry":{"maxAttempts":2,"on":["#;
        is_bounded::<SubmitParams>("retry.on", MAX_CHOICES, retry, r#""failure""#, "]}}");
    }

    #[test]
    fn null_is_no_list_or_an_empty_one_as_it_was() {
        let submit: SubmitParams =
            parse_params(Some(r#"{"argv":null,"envPolicy":{"exclude":null}}"#)).unwrap();
        assert_eq!(submit.argv, None);
        assert!(submit.env_policy.unwrap().exclude.is_empty());
        let error = parse_params::<StartParams>(Some(r#"{"processId":"p","argv":null}"#)).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("argv"));
    }

    #[test]
    fn a_list_that_nobody_knows_may_be_of_any_length() {
        let before = r#"{"processId":"p","argv":["a"],"unknown":["#;
        let text = with_list(before, "[0]", MAX_ARGUMENTS + 1, "]}");
        assert!(parse_params::<StartParams>(Some(&text)).is_ok());
    }
}
