//! Descriptors that this program was started with.

use std::io;
use std::os::fd::{OwnedFd, RawFd};

use crate::sys;

/// A descriptor, close-on-exec, for what `number` stands for: somebody handed it over by starting this program.
///
/// The number stays open as well. No child gets either.
///
/// # Errors
///
/// What the operating system says, `EBADF` if the number is not open.
pub fn inherited(number: RawFd) -> io::Result<OwnedFd> {
    sys::duplicate(number)
}
