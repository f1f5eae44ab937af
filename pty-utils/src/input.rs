//! What a child reads.
use crate::sys;
use std::io;

/// Our end of a child's standard input.
///
/// Dropping it closes a pipe, which the child sees as end of file. A terminal stays open; see
/// [`Terminal::end_of_file_char`](crate::Terminal::end_of_file_char).
#[derive(Debug)]
pub struct Input {
    sink: sys::Input,
}

impl Input {
    pub(crate) fn new(sink: sys::Input) -> Self {
        Self { sink }
    }

    /// Waits until something can be written, or nothing ever again. It may be wrong: only a write knows.
    /// Only the task that asked last is woken.
    ///
    /// # Errors
    /// When the runtime shuts down.
    ///
    /// # Cancel safety
    /// Cancel safe: readiness stays until a write would block.
    pub async fn writable(&self) -> io::Result<()> {
        self.sink.writable().await
    }

    /// Writes as much as there is room for, without waiting, and says how many bytes that was. None if there
    /// is no room, which makes the next [`writable`](Self::writable) wait.
    ///
    /// # Errors
    /// `BrokenPipe` or `EIO` if nobody can read it any more. The process must ignore `SIGPIPE`, as every Rust
    /// program does unless it asked otherwise.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
        self.sink.try_write(bytes)
    }
}
