//! A flag between processes that share memory.
use std::{
    ffi::c_int,
    ptr,
    sync::atomic::{AtomicU32, Ordering},
};

/// What the kernel, or a process that borrows our memory, changes for the other to see. Once only.
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
        self.futex(libc::FUTEX_WAKE, 1);
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
            self.futex(libc::FUTEX_WAIT, value);
        }
    }

    /// Not private: the other is another process to the kernel. That nobody waits, or that the value has changed, is
    /// as well.
    fn futex(&self, operation: c_int, value: u32) {
        // SAFETY: the word lives as long as this, and there is no timeout.
        unsafe {
            libc::syscall(
                libc::SYS_futex,
                self.0.as_ptr(),
                operation,
                value,
                ptr::null::<libc::timespec>(),
            )
        };
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
