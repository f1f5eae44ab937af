//! Somebody's wish that a process end.

use std::sync::Arc;
use std::time::Duration;

use exec_protocol::process::EndReason;

/// Somebody's wish that a process end.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    pub(crate) reason: EndReason,
    /// The name of the client that asked.
    pub(crate) asked_by: Option<Arc<str>>,
    /// From the polite signal to the kill. None: as the process's start said.
    pub(crate) grace: Option<Duration>,
    /// Whether it is meant for those too who outlive a process that is closed.
    pub(crate) includes_outliving: bool,
    /// Nobody will read it any more: it is not kept once it has closed, nor waited for long beyond the kill.
    pub(crate) is_final: bool,
}

impl Stop {
    /// A client asks for it. With a grace period of its own it means everybody.
    pub(crate) fn by_client(client: Arc<str>, grace: Option<Duration>) -> Self {
        Self {
            reason: EndReason::Terminated,
            asked_by: Some(client),
            grace,
            includes_outliving: grace.is_some(),
            is_final: false,
        }
    }

    /// The task that it is an attempt of is to end, or has said too much.
    pub(crate) fn of_task(reason: EndReason, asked_by: Option<Arc<str>>, grace: Option<Duration>) -> Self {
        Self {
            reason,
            asked_by,
            grace,
            includes_outliving: true,
            is_final: false,
        }
    }

    /// The connection is gone that it was to end with.
    pub(crate) fn with_connection() -> Self {
        Self {
            reason: EndReason::Disconnected,
            asked_by: None,
            grace: None,
            includes_outliving: true,
            is_final: false,
        }
    }

    /// Its session is over. It has so much time at most.
    pub(crate) fn with_session(at_most: Duration) -> Self {
        Self {
            grace: Some(at_most),
            is_final: true,
            ..Self::with_connection()
        }
    }

    /// The server leaves. It has so much time at most.
    pub(crate) fn with_server(at_most: Duration) -> Self {
        Self {
            reason: EndReason::ServerShutdown,
            ..Self::with_session(at_most)
        }
    }

    /// The wish for a process whose start set this grace period.
    pub(super) fn within(&self, grace: Duration) -> Self {
        let grace = match self.grace {
            Some(at_most) if self.is_final => at_most.min(grace),
            Some(asked) => asked,
            None => grace,
        };
        Self {
            grace: Some(grace),
            ..self.clone()
        }
    }

    /// Both wishes together: the first reason, and the shorter time.
    pub(super) fn and(self, later: &Self) -> Self {
        Self {
            grace: self.grace.into_iter().chain(later.grace).min(),
            includes_outliving: self.includes_outliving || later.includes_outliving,
            is_final: self.is_final || later.is_final,
            ..self
        }
    }
}
