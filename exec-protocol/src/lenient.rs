//! How the wire forgives: a null member equals an absent one; a repeated one is refused.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Names with values, such as an environment; sorted, each name once.
pub type StringMap = BTreeMap<String, String>;

/// Most names of one object whose names its sender chooses, such as an environment.
///
/// As many as fit into the 2 MiB that Linux usually gives a program for its words and variables, if each has 128 bytes. What is
/// longer is refused while it is read, and never built.
pub const MAX_NAMES: usize = 16_384;

/// Most labels of a process or a task.
///
/// Each is kept and told with every record of it. People give a handful.
pub const MAX_LABELS: usize = 100;

/// Reads null as the type's default. For members that are optional but never null to us.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads null as true. For members that are true where they are left out.
pub(crate) fn null_as_true<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Option::deserialize(deserializer).map(|value| value.unwrap_or_else(yes))
}

/// What a member is that is true where it is left out.
pub(crate) fn yes() -> bool {
    true
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes the member by reference"
)]
pub(crate) fn is_true(value: &bool) -> bool {
    *value
}

/// Reads an object of at most [`MAX_NAMES`] and refuses a name that comes twice: the first value would be lost. Null is read as
/// an empty one.
pub(crate) fn unique_names<'de, D, K, V>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
where
    D: Deserializer<'de>,
    K: Deserialize<'de> + Ord + fmt::Debug,
    V: Deserialize<'de>,
{
    deserializer.deserialize_any(Names::<K, V, MAX_NAMES>(PhantomData))
}

/// As [`unique_names`], of at most [`MAX_LABELS`].
pub(crate) fn labels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<StringMap, D::Error> {
    deserializer.deserialize_any(Names::<String, String, MAX_LABELS>(PhantomData))
}

struct Names<K, V, const MOST: usize>(PhantomData<(K, V)>);

impl<'de, K, V, const MOST: usize> Visitor<'de> for Names<K, V, MOST>
where
    K: Deserialize<'de> + Ord + fmt::Debug,
    V: Deserialize<'de>,
{
    type Value = BTreeMap<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(BTreeMap::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut names = BTreeMap::new();
        while let Some((name, value)) = members.next_entry::<K, V>()? {
            if names.len() == MOST {
                return Err(de::Error::custom(format_args!(
                    "an object of more than {MOST} members"
                )));
            }
            if names.contains_key(&name) {
                return Err(de::Error::custom(format_args!("duplicate name {name:?}")));
            }
            names.insert(name, value);
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{ListParams, StartParams, WaitParams};
    use crate::task::{self, SubmitParams};
    use crate::{ErrorKind, ParamsError, parse_params};

    /// Checks that an object may have as many names, and not one more.
    fn is_bounded<P: de::DeserializeOwned + fmt::Debug>(
        field: &str,
        most: usize,
        before: &str,
        value: &str,
        behind: &str,
    ) {
        let members: Vec<_> = (0..=most)
            .map(|number| format!(r#""{number}":{value}"#))
            .collect();
        let longest = format!("{before}{}{behind}", members[1..].join(","));
        assert!(parse_params::<P>(Some(&longest)).is_ok(), "{field}");
        let longer = format!("{before}{}{behind}", members.join(","));
        let refusal = ParamsError {
            kind: ErrorKind::InvalidParams,
            field: Some(field.to_owned()),
            message: format!("an object of more than {most} members"),
        };
        assert_eq!(parse_params::<P>(Some(&longer)).unwrap_err(), refusal);
    }

    #[test]
    fn each_object_with_names_of_the_clients_has_its_bound() {
        let start = r#"{"processId":"p","argv":["a"],"#;
        for (field, most) in [("env", MAX_NAMES), ("labels", MAX_LABELS)] {
            let member = format!(r#""{field}":{{"#);
            is_bounded::<StartParams>(field, most, &format!("{start}{member}"), r#""""#, "}}");
            is_bounded::<SubmitParams>(field, most, &format!("{{{member}"), r#""""#, "}}");
        }
        let set = r#""envPolicy":{"set":{"#;
        let (start_set, submit_set) = (format!("{start}{set}"), format!("{{{set}"));
        is_bounded::<StartParams>("envPolicy.set", MAX_NAMES, &start_set, r#""""#, "}}}");
        is_bounded::<SubmitParams>("envPolicy.set", MAX_NAMES, &submit_set, r#""""#, "}}}");
        let labels = r#"{"labels":{"#;
        is_bounded::<ListParams>("labels", MAX_LABELS, labels, r#""""#, "}}");
        is_bounded::<task::ListParams>("labels", MAX_LABELS, labels, r#""""#, "}}");
        let wait = r#"{"until":{"kind":"exited"},"fromOffsets":{"#;
        is_bounded::<WaitParams>("fromOffsets", MAX_NAMES, wait, "0", "}}");
    }
}
