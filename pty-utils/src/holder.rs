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

    /// Looks at every process of the system, which takes milliseconds, or seconds where there is much to do, and blocks.
    /// Each holder is told when it is found; of more than 16 the first 16 are. Whoever we may not look at, because
    /// they run as somebody else, is left out.
    ///
    /// # Errors
    /// When `/proc` cannot be read. `Unsupported` on other systems than Linux.
    pub fn run(self, found: impl FnMut(Holder)) -> io::Result<()> {
        self.query.run(found)
    }
}
