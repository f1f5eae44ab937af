//! A flag between processes that share memory.
use rustix::thread::futex;
use std::sync::atomic::{AtomicU32, Ordering};

/// Not private: the other is another process to the kernel.
const SHARED: futex::Flags = futex::Flags::empty();

/// What the kernel, or a process that borrows our memory, changes for the other to see. Once only.
///
/// Whoever waits does so without the C library's errno, which is the other's at that time: both have the same
/// thread-local memory.
#[derive(Debug)]
pub(super) struct Flag(AtomicU32);

impl Flag {
    pub(super) fn lowered() -> Self {
        Self(AtomicU32::new(0))
    }

    pub(super) fn raised() -> Self {
        Self(AtomicU32::new(1))
    }

    pub(super) fn raise(&self) {
        self.0.store(1, Ordering::Release);
        // Nobody may be waiting.
        let _ = futex::wake(&self.0, SHARED, 1);
    }

    pub(super) fn wait_until_raised(&self) {
        self.wait_while(0);
    }

    pub(super) fn wait_until_lowered(&self) {
        self.wait_while(1);
    }

    /// Where the kernel writes a zero (`CLONE_CHILD_CLEARTID`), and wakes who waits.
    pub(super) fn as_ptr(&self) -> *mut u32 {
        self.0.as_ptr()
    }

    fn wait_while(&self, value: u32) {
        while self.0.load(Ordering::Acquire) == value {
            // The value may have changed.
            let _ = futex::wait(&self.0, SHARED, value, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_is_woken() {
        let flag = Flag::lowered();
        std::thread::scope(|scope| {
            scope.spawn(|| flag.wait_until_raised());
            flag.raise();
        });
        Flag::lowered().wait_until_lowered();
    }
}
