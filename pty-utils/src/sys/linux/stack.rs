//! The stack a child runs on until it is the program.
use rustix::{
    io,
    mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap},
};
use std::{ffi::c_void, ptr};

/// The child makes system calls only and is a few frames deep, with nothing large on them.
const STACK_BYTES: usize = 64 * 1024;
/// Larger than any page, so that it is at least one.
const GUARD_BYTES: usize = 64 * 1024;

/// The stack a child runs on until it is the program, with a guard below. One is enough for any number of
/// children, as the thread that creates one waits until it is off it.
#[derive(Debug)]
pub(super) struct Stack {
    bottom: *mut c_void,
}

// SAFETY: it owns its memory alone, and a mapping is the same in each thread.
unsafe impl Send for Stack {}

impl Stack {
    pub(super) fn new() -> io::Result<Self> {
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        let flags = MapFlags::PRIVATE | MapFlags::STACK | MapFlags::NORESERVE;
        // SAFETY: a new anonymous mapping at an address of the kernel's choice replaces nothing.
        let bottom =
            unsafe { mmap_anonymous(ptr::null_mut(), GUARD_BYTES + STACK_BYTES, protection, flags) }?;
        let stack = Self { bottom };
        // SAFETY: these are the first bytes of our own mapping, and nothing points into it yet.
        unsafe { mprotect(bottom, GUARD_BYTES, MprotectFlags::empty()) }?;
        Ok(stack)
    }

    /// The lowest usable byte, and how many there are.
    pub(super) fn extent(&mut self) -> (*mut c_void, usize) {
        (self.bottom.wrapping_byte_add(GUARD_BYTES), STACK_BYTES)
    }

    /// Where a stack that grows down begins. Aligned to a page.
    pub(super) fn top(&mut self) -> *mut c_void {
        self.bottom.wrapping_byte_add(GUARD_BYTES + STACK_BYTES)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, of this length, and no child is on it: `spawn` borrows it until the
        // child is off.
        let unmapped = unsafe { munmap(self.bottom, GUARD_BYTES + STACK_BYTES) };
        debug_assert!(unmapped.is_ok(), "the mapping was made with this length");
    }
}
