//! The signal that tells of exits.
use super::errno::last_errno;
use rustix::io::Errno;
use std::{mem, ptr};

/// Sees to it that the kernel keeps the statuses of exited children: where `SIGCHLD` is ignored, which a program
/// inherits from whoever started it, it throws them away. A handler is left as it is.
pub(super) fn keep_statuses() -> Result<(), Errno> {
    // SAFETY: it is plain data, for which zero is a value: the default action.
    let (default, mut current) = unsafe { mem::zeroed::<(libc::sigaction, libc::sigaction)>() };
    // SAFETY: the place is ours to write, and nothing is set.
    if unsafe { libc::sigaction(libc::SIGCHLD, ptr::null(), &raw mut current) } < 0 {
        return Err(last_errno());
    }
    let is_ignored = current.sa_sigaction == libc::SIG_IGN;
    // SAFETY: it installs no handler.
    if is_ignored && unsafe { libc::sigaction(libc::SIGCHLD, &raw const default, ptr::null_mut()) } < 0 {
        return Err(last_errno());
    }
    Ok(())
}
