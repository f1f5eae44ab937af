//! Standard error, past the lock that the standard library has on it: whoever else writes there is not held up by the log.

use std::io::{self, Write};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

/// Standard error, which may be held up for ever by whoever is to read it.
#[derive(Debug)]
pub(super) struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let stderr = rustix::stdio::stderr();
        loop {
            match rustix::io::write(stderr, bytes) {
                // Somebody who has it too does not want to wait.
                Err(Errno::AGAIN) => poll(&mut [PollFd::new(&stderr, PollFlags::OUT)], None)?,
                written => return Ok(written?),
            };
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
