//! How much is kept of what is on its way to a log.

use exec_protocol::task::OnOutputLimit;

/// How much is kept of an attempt's output, and what happens when it is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Output that is kept, in bytes.
    pub(crate) max_bytes: u64,
    /// What happens behind that.
    pub(crate) on_limit: OnOutputLimit,
}
