//! The monotonic clock, which all processes of a machine share.
//!
//! A child stamps its lines with it and the receiver subtracts, which the standard library's `Instant` cannot do.

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds in a second.
pub(crate) const SECOND_NS: u64 = 1_000_000_000;

/// Nanoseconds in a millisecond.
pub(crate) const MILLISECOND_NS: u64 = 1_000_000;

/// Nanoseconds since the machine's own zero.
pub(crate) fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let rest = u64::try_from(now.tv_nsec).unwrap_or(0);
    seconds * SECOND_NS + rest
}

/// Nanoseconds since `start_ns`.
pub(crate) fn since(start_ns: u64) -> u64 {
    now_ns().saturating_sub(start_ns)
}
