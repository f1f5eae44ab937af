//! Randomness for what must differ, not for what must be secret.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A number that differs from call to call and from program to program.
///
/// The standard library seeds its hash maps with it, so that it cannot fail; nobody is kept out by
/// what we use it for.
pub(crate) fn number() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A number from 0 to one less than `bound`.
pub(crate) fn below(bound: u32) -> u32 {
    let rest = number() % u64::from(bound);
    u32::try_from(rest).expect("it is less than a u32")
}
