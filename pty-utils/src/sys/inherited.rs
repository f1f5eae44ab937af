//! Descriptors that this program was started with.
#![expect(unsafe_code, reason = "a number becomes a descriptor in no other way")]

use std::io;
use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};

/// Another descriptor for what `number` stands for, close-on-exec.
///
/// The number itself is not taken: nobody can tell here whether somebody else in this program has it.
pub(crate) fn duplicate(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: the call takes numbers only, and fails for one that is not open.
    let duplicate = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, libc::STDERR_FILENO + 1) };
    if duplicate == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the system has just made it, and told nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(duplicate) })
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read as _, Write as _};
    use std::os::fd::AsRawFd as _;

    use super::*;

    #[test]
    fn what_is_behind_a_number_is_read() {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"text").unwrap();
        drop(writer);
        let mut text = String::new();
        let mut duplicate = File::from(duplicate(reader.as_raw_fd()).unwrap());
        duplicate.read_to_string(&mut text).unwrap();
        assert_eq!(text, "text");
    }

    #[test]
    fn a_number_that_is_not_open_is_an_error() {
        let error = duplicate(RawFd::MAX).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EBADF));
    }
}
