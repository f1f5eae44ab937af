//! Signals that are typed at a terminal.
use super::errno::last_errno;
use rustix::{io::Errno, process::Signal};
use std::os::fd::{AsFd, AsRawFd};

/// Makes the kernel send a signal to the foreground group of a master's terminal. It takes `SIGINT`,
/// `SIGQUIT` and `SIGTSTP`.
pub(super) fn type_signal(master: impl AsFd, signal: Signal) -> Result<(), Errno> {
    let master = master.as_fd().as_raw_fd();
    // SAFETY: the descriptor is borrowed and so open; the argument is a number and no pointer.
    let result = unsafe { libc::ioctl(master, libc::TIOCSIG, signal.as_raw()) };
    if result == 0 { Ok(()) } else { Err(last_errno()) }
}
