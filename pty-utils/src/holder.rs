//! Who holds an output open.
use crate::sys;
use std::io;

/// A process that holds the child's side of an output open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its pid, as we see it.
    pub pid: u32,
    /// Its command line with blanks between the arguments, or the name of its program if it has none. At most
    /// 256 bytes; what is not UTF-8 is replaced.
    pub command: String,
}

/// A question that can be carried to a thread where it may block; see [`Output::holders`](crate::Output::holders).
#[derive(Debug)]
pub struct HoldersQuery {
    query: sys::HoldersQuery,
}

impl HoldersQuery {
    pub(crate) fn new(query: sys::HoldersQuery) -> Self {
        Self { query }
    }

    /// Looks at every process of the system, which takes milliseconds, and blocks. Of more than 16 holders the
    /// first 16 are told. Whoever we may not look at, because they run as somebody else, is left out.
    ///
    /// # Errors
    /// When `/proc` cannot be read. `Unsupported` on other systems than Linux.
    pub fn run(self) -> io::Result<Vec<Holder>> {
        self.query.run()
    }
}
