//! The helper that ends a spawner's control groups.
use super::{say_hello, wait_for_end};
use crate::sys::linux::cgroup;
use std::{env, io, path::Path, time::Duration};

/// How often the end is tried: each time waits for those who are dying, so this is a minute for one whose disk
/// does not answer.
const ROUNDS: usize = 60;
const ROUND: Duration = Duration::from_secs(1);

/// Waits until our parent lets go or is gone, and ends the group of this path.
pub(super) fn run(group: &Path) -> io::Result<()> {
    // Nothing that we stand in must be kept from being unmounted.
    env::set_current_dir("/")?;
    say_hello()?;
    wait_for_end()?;
    for _ in 0..ROUNDS {
        if let Ok(true) = cgroup::end(group, ROUND) {
            return Ok(());
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}
