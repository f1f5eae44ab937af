//! What a tree has used.
use std::time::Duration;

/// What a tree of processes has used so far, as far as the system tells. None is what it does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// CPU time in user mode.
    pub user: Option<Duration>,
    /// CPU time in the kernel.
    pub system: Option<Duration>,
    /// The most memory that was resident at a time, in bytes, of the largest process that is known. After the leader's exit it is not known if it was
    /// below the peak of this process, which the kernel cannot tell from it.
    pub max_rss_bytes: Option<u64>,
}
