//! What a child writes.
use crate::{holder::HoldersQuery, sys};
use std::io;

/// Which of a child's outputs something was written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// The standard output, a pipe.
    Stdout,
    /// The standard error, a pipe.
    Stderr,
    /// The terminal, where the two cannot be told apart.
    Pty,
}

/// What a read found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// So many bytes, at least one.
    Bytes(usize),
    /// Nothing now.
    WouldBlock,
    /// Nothing now or later: nobody holds the child's side open.
    EndOfFile,
}

/// Our end of one of a child's outputs. Dropping it closes it.
#[derive(Debug)]
pub struct Output {
    stream: Stream,
    source: sys::Output,
}

impl Output {
    pub(crate) fn new((stream, source): (Stream, sys::Output)) -> Self {
        Self { stream, source }
    }

    /// Which output this is.
    pub fn stream(&self) -> Stream {
        self.stream
    }

    /// Waits until there is something to read, or the end of file. It may be wrong: only a read knows.
    /// Only the task that asked last is woken.
    ///
    /// # Errors
    /// When the runtime shuts down.
    ///
    /// # Cancel safety
    /// Cancel safe: readiness stays until a read finds nothing.
    pub async fn readable(&self) -> io::Result<()> {
        self.source.readable().await
    }

    /// Reads what is there, without waiting; `WouldBlock` makes the next [`readable`](Self::readable) wait.
    ///
    /// `buf` must not be empty. With a buffer of 64 KiB or more a pipe that was found full gets a capacity of
    /// 256 KiB, as long as the system and our own bound allow it, which cuts the cost of reading a flood to a
    /// fifth.
    ///
    /// # Errors
    /// What the system says; nothing is expected here.
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<Read> {
        self.source.try_read(buf)
    }

    /// Reads what is there, without waiting and whether or not the runtime has heard of it already.
    ///
    /// This is for the moment of the leader's exit, which may be known before the last output is. `buf` must
    /// not be empty.
    ///
    /// # Errors
    /// What the system says; nothing is expected here.
    pub fn read_now(&self, buf: &mut [u8]) -> io::Result<Read> {
        self.source.read_now(buf)
    }

    /// How many bytes a pipe holds now. For a terminal it is a lower bound, as its output goes through a
    /// queue in the kernel that only a read flushes.
    ///
    /// # Errors
    /// What the system says; nothing is expected here.
    pub fn pending(&self) -> io::Result<usize> {
        self.source.pending()
    }

    /// Who else holds the child's side open, and so keeps the end of file away. The answer is expensive and is
    /// given by [`HoldersQuery::run`], which may be called on another thread and after this output was dropped.
    pub fn holders(&self) -> HoldersQuery {
        HoldersQuery::new(self.source.holders())
    }
}
