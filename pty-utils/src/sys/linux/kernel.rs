//! Whether the kernel is new enough.
use rustix::{
    io::{self, Errno},
    process::{PidfdFlags, WaitId, WaitIdOptions, getpid, pidfd_open, waitid},
};
use std::os::fd::AsFd;

/// Checks that pidfds can be waited for, which came last (Linux 5.4) of what a spawn relies on.
///
/// # Errors
/// `ENOSYS` or `EINVAL` on an older kernel. `clone` would not refuse there: it would ignore the flag and give
/// no pidfd.
pub(super) fn check() -> io::Result<()> {
    let this = pidfd_open(getpid(), PidfdFlags::empty())?;
    match waitid(
        WaitId::PidFd(this.as_fd()),
        WaitIdOptions::EXITED | WaitIdOptions::NOHANG,
    ) {
        // It understood, and nobody is a child of its own.
        Ok(_) | Err(Errno::CHILD) => Ok(()),
        Err(errno) => Err(errno),
    }
}
