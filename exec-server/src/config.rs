//! What an embedder may choose.

use std::time::Duration;

use crate::limits;

/// The times a server lives by. The defaults are the contract's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// From the polite signal to the kill.
    pub terminate_grace: Duration,
    /// How long an ended process can still be read, from when its close was told.
    pub retain_ended: Duration,
    /// How long a session lives without a connection.
    pub detached_session: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            terminate_grace: limits::TERMINATE_GRACE,
            retain_ended: limits::RETAIN_ENDED,
            detached_session: limits::DETACHED_SESSION,
        }
    }
}
