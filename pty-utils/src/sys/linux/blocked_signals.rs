//! Blocking every signal, also those that the C library keeps to itself.
//!
//! By the system call: the C library's functions take its own signals out of each set.
use std::{ffi::c_int, ptr};

/// The kernel's set of all signals.
pub(super) const ALL: u64 = u64::MAX;

/// All signals are blocked in this thread while it exists.
pub(super) struct BlockedSignals {
    before: u64,
}

impl BlockedSignals {
    pub(super) fn new() -> Self {
        Self { before: block_all() }
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        set_mask(libc::SIG_SETMASK, self.before);
    }
}

/// Gives the set of those that were blocked before.
pub(super) fn block_all() -> u64 {
    set_mask(libc::SIG_BLOCK, ALL)
}

fn set_mask(how: c_int, set: u64) -> u64 {
    let mut before = 0_u64;
    // SAFETY: both sets are ours and of the size that is passed. It cannot fail with these arguments.
    unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            how,
            &raw const set,
            ptr::from_mut(&mut before),
            size_of_val(&set),
        )
    };
    before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_signals_are_blocked_and_given_back() {
        /// SIGKILL and SIGSTOP cannot be blocked.
        const POSSIBLE: u64 = !(1 << 8 | 1 << 18);
        let before = set_mask(libc::SIG_BLOCK, 0);
        let blocked = BlockedSignals::new();
        assert_eq!(set_mask(libc::SIG_BLOCK, 0), POSSIBLE);
        drop(blocked);
        assert_eq!(set_mask(libc::SIG_BLOCK, 0), before);
    }
}
