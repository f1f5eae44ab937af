//! A clock that the tests and their children share.

use rustix::time::{ClockId, clock_gettime};

/// Bytes of a stamp.
pub const STAMP_BYTES: usize = 20;

/// The time as a line, in nanoseconds since the machine was started.
pub fn stamp() -> String {
    let now = clock_gettime(ClockId::Monotonic);
    format!("{:09}{:010}\n", now.tv_sec, now.tv_nsec)
}
