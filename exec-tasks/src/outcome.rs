//! What the end of an attempt means for its task. Pure.

use exec_protocol::process::EndReason;
use exec_protocol::task::{RetryOn, StartFailure, TaskState};

use crate::runner::End;

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Its process ended.
    Ended(End),
    /// It was not even started.
    NotStarted(StartFailure),
    /// Its server died, and how its process ended is not known.
    Lost {
        /// When it was last known to run, in Unix milliseconds.
        last_seen_ms: u64,
    },
}

impl Outcome {
    /// What the attempt has come to.
    pub(crate) fn state(&self) -> TaskState {
        match self {
            Self::NotStarted(_) => TaskState::Failed,
            Self::Lost { .. } => TaskState::Interrupted,
            Self::Ended(end) => match end.reason {
                EndReason::Exited if end.exit_code == 0 => TaskState::Completed,
                EndReason::Terminated | EndReason::Cancelled => TaskState::Stopped,
                EndReason::ServerShutdown | EndReason::Disconnected | EndReason::ServerLost => {
                    TaskState::Interrupted
                }
                EndReason::Exited
                | EndReason::Signaled
                | EndReason::Oom
                | EndReason::Timeout
                | EndReason::IdleTimeout
                | EndReason::OutputLimit
                | EndReason::StartFailed
                | EndReason::Other => TaskState::Failed,
            },
        }
    }

    /// Why it ended.
    pub(crate) fn reason(&self) -> EndReason {
        match self {
            Self::NotStarted(_) => EndReason::StartFailed,
            Self::Lost { .. } => EndReason::ServerLost,
            Self::Ended(end) => end.reason,
        }
    }

    /// What a retry policy calls it. None if no policy is about it: what was asked for is not tried again, nor what would only fill
    /// the disk again.
    pub(crate) fn kind(&self) -> Option<RetryOn> {
        match self.state() {
            TaskState::Interrupted => Some(RetryOn::Interrupted),
            TaskState::Failed => match self.reason() {
                EndReason::Timeout | EndReason::IdleTimeout => Some(RetryOn::Timeout),
                EndReason::OutputLimit => None,
                EndReason::Exited
                | EndReason::Signaled
                | EndReason::Oom
                | EndReason::Terminated
                | EndReason::Disconnected
                | EndReason::ServerShutdown
                | EndReason::Cancelled
                | EndReason::StartFailed
                | EndReason::ServerLost
                | EndReason::Other => Some(RetryOn::Failure),
            },
            TaskState::Queued | TaskState::Running | TaskState::Completed | TaskState::Stopped => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(reason: EndReason, exit_code: i32) -> Outcome {
        Outcome::Ended(End {
            exit_code,
            signal: None,
            reason,
            ended_by: None,
            at_ms: 0,
            unread: None,
        })
    }

    #[test]
    fn each_end_has_its_state_and_its_name_in_a_policy() {
        let failure = StartFailure {
            kind: "programNotFound".to_owned(),
            message: String::new(),
        };
        for (outcome, state, kind) in [
            (ended(EndReason::Exited, 0), TaskState::Completed, None),
            (
                ended(EndReason::Exited, 1),
                TaskState::Failed,
                Some(RetryOn::Failure),
            ),
            (
                ended(EndReason::Signaled, 139),
                TaskState::Failed,
                Some(RetryOn::Failure),
            ),
            (
                ended(EndReason::Oom, 137),
                TaskState::Failed,
                Some(RetryOn::Failure),
            ),
            (
                ended(EndReason::Timeout, 143),
                TaskState::Failed,
                Some(RetryOn::Timeout),
            ),
            (
                ended(EndReason::IdleTimeout, 0),
                TaskState::Failed,
                Some(RetryOn::Timeout),
            ),
            (ended(EndReason::OutputLimit, 143), TaskState::Failed, None),
            (ended(EndReason::Terminated, 0), TaskState::Stopped, None),
            (
                ended(EndReason::ServerShutdown, 0),
                TaskState::Interrupted,
                Some(RetryOn::Interrupted),
            ),
            (
                Outcome::NotStarted(failure),
                TaskState::Failed,
                Some(RetryOn::Failure),
            ),
            (
                Outcome::Lost { last_seen_ms: 0 },
                TaskState::Interrupted,
                Some(RetryOn::Interrupted),
            ),
        ] {
            assert_eq!((outcome.state(), outcome.kind()), (state, kind), "{outcome:?}");
        }
    }
}
