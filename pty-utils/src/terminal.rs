//! The terminal of a child, as seen from the master side.
use crate::{signal::Signal, sys};
use std::{io, path::Path};

/// The size of a terminal in character cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Size {
    /// Height in lines.
    pub rows: u16,
    /// Width in columns.
    pub cols: u16,
}

/// A shared handle on a child's terminal. The child is hung up on when the last handle, the input and the
/// output are dropped.
#[derive(Debug, Clone)]
pub struct Terminal {
    master: sys::Terminal,
}

impl Terminal {
    pub(crate) fn new(master: sys::Terminal) -> Self {
        Self { master }
    }

    /// Changes the size. The kernel tells the foreground group with `SIGWINCH` if it is a different one.
    ///
    /// # Errors
    /// What the system says; nothing is expected here.
    pub fn resize(&self, size: Size) -> io::Result<()> {
        self.master.resize(size)
    }

    /// The size now, also after the child has changed it.
    ///
    /// # Errors
    /// What the system says; nothing is expected here.
    pub fn size(&self) -> io::Result<Size> {
        self.master.size()
    }

    /// The byte that means end of file when it is typed at the start of a line.
    ///
    /// None if the terminal is not in canonical mode or has the character disabled, since there is no way to
    /// type an end of file then.
    ///
    /// # Errors
    /// What the system says; nothing is expected here.
    pub fn end_of_file_char(&self) -> io::Result<Option<u8>> {
        self.master.end_of_file_char()
    }

    /// Sends a signal to the group in the foreground, as typing it would. False if there is none.
    ///
    /// # Errors
    /// `EPERM` if the group runs as somebody else.
    pub fn signal_foreground(&self, signal: Signal) -> io::Result<bool> {
        self.master.signal_foreground(signal)
    }

    /// The path of the child's side, such as `/dev/pts/7`.
    pub fn name(&self) -> &Path {
        self.master.name()
    }
}
