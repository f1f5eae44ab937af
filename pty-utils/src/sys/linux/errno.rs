//! The errno of calls that go through libc.
use rustix::io::Errno;
use std::io;

/// The errno of the libc call that has just failed. It does not allocate.
pub(super) fn last_errno() -> Errno {
    // There always is one in an error that was made from one.
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO)
}
