//! A descriptor that tells of the deaths of children, and of the thread that spawned.
use crate::sys::linux::errno::last_errno;
use rustix::{
    io::{Errno, read},
    process::Signal,
};
use std::{
    mem::MaybeUninit,
    os::fd::{FromRawFd, OwnedFd},
    ptr,
};

/// What a supervisor gets when the thread that spawned it ends; from anybody else it means the same.
pub(in crate::sys::linux) const SPAWNER_DIED: Signal = Signal::USR1;

/// Opens it, not blocking. It is readable when a child has died since it was read.
pub(super) fn open() -> Result<OwnedFd, Errno> {
    let mut set = MaybeUninit::uninit();
    // SAFETY: the set is ours to write, and it is emptied before it is used. There is one thread.
    let fd = unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGCHLD);
        libc::sigaddset(set.as_mut_ptr(), SPAWNER_DIED.as_raw());
        libc::sigprocmask(libc::SIG_BLOCK, set.as_ptr(), ptr::null_mut());
        libc::signalfd(-1, set.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
    };
    if fd < 0 {
        return Err(last_errno());
    }
    // SAFETY: it was opened just now and is nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Takes what was told. True if the thread that spawned us has died.
pub(super) fn take(deaths: &OwnedFd) -> bool {
    let mut has_died = false;
    let mut info = [0; size_of::<libc::signalfd_siginfo>()];
    // Each of the two is pending once at most.
    while let Ok(1..) = read(deaths, &mut info) {
        let number = u32::from_ne_bytes([info[0], info[1], info[2], info[3]]);
        has_died |= number == SPAWNER_DIED.as_raw().cast_unsigned();
    }
    has_died
}
