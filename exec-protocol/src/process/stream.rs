//! Where a chunk of output was written to.

use serde::{Deserialize, Serialize};

/// One of a process's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// The pipe on file descriptor 1.
    Stdout,
    /// The pipe on file descriptor 2.
    Stderr,
    /// The terminal.
    Pty,
}

impl Stream {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::Pty => "pty",
        }
    }
}
