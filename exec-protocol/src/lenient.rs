//! How the wire forgives: a null member equals an absent one; a repeated one is refused.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Names with values, such as an environment; sorted, each name once.
pub type StringMap = BTreeMap<String, String>;

/// Reads null as the type's default. For members that are optional but never null to us.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads an object of strings and refuses a name that comes twice: the first value would be lost.
pub(crate) fn unique_names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<StringMap, D::Error> {
    struct Names;

    impl<'de> Visitor<'de> for Names {
        type Value = StringMap;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object with string values")
        }

        fn visit_unit<E: de::Error>(self) -> Result<StringMap, E> {
            Ok(StringMap::new())
        }

        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<StringMap, A::Error> {
            let mut names = StringMap::new();
            while let Some((name, value)) = members.next_entry::<String, String>()? {
                if names.contains_key(&name) {
                    return Err(de::Error::custom(format_args!("duplicate name {name:?}")));
                }
                names.insert(name, value);
            }
            Ok(names)
        }
    }

    deserializer.deserialize_any(Names)
}
