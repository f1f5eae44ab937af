//! What a session refuses.

use super::table::Entry;

/// Why a connection cannot speak for a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AttachError {
    /// The session's life is over.
    #[error(transparent)]
    Ended(#[from] SessionEnded),
    /// Another connection does.
    #[error("the session is attached to another connection")]
    Attached,
}

/// The session's life is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such session")]
pub(crate) struct SessionEnded;

/// Why a process id cannot be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReserveError {
    /// Another process has it.
    #[error("the process id is taken by a process that runs or is still kept")]
    Taken(Entry),
    /// The session is over.
    #[error(transparent)]
    Ended(#[from] SessionEnded),
}
