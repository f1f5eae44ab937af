//! How the wire forgives: a null member equals an absent one; a repeated one is refused.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

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

/// Reads an object and refuses a name that comes twice: the first value would be lost. Null is read as an empty one.
pub(crate) fn unique_names<'de, D, K, V>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
where
    D: Deserializer<'de>,
    K: Deserialize<'de> + Ord + fmt::Debug,
    V: Deserialize<'de>,
{
    deserializer.deserialize_any(Names(PhantomData))
}

struct Names<K, V>(PhantomData<(K, V)>);

impl<'de, K, V> Visitor<'de> for Names<K, V>
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
            if names.contains_key(&name) {
                return Err(de::Error::custom(format_args!("duplicate name {name:?}")));
            }
            names.insert(name, value);
        }
        Ok(names)
    }
}
