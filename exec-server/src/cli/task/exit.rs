//! The exit codes of this program that stand for the end of a task.

use exec_protocol::process::EndReason;
use exec_protocol::task::{TaskRecord, TaskState};

use crate::cli::FAILURE;

/// A limit of time: the task's, or ours.
pub(super) const TIMED_OUT: u8 = 124;

/// Somebody asked for the end: of the task, or of this program by Ctrl-C.
pub(super) const STOPPED: u8 = 130;

/// A failure whose code is not known, or is one that would say that all is well.
const FAILED: u8 = 1;

/// The exit code that stands for how a task ended.
pub(super) fn code_of(task: &TaskRecord) -> u8 {
    match task.state {
        TaskState::Completed => 0,
        TaskState::Stopped => STOPPED,
        TaskState::Interrupted => FAILURE,
        TaskState::Failed => match (task.end_reason, task.exit_code) {
            (Some(EndReason::Timeout | EndReason::IdleTimeout), _) => TIMED_OUT,
            (Some(EndReason::StartFailed), _) | (_, None) => FAILURE,
            (_, Some(code)) => u8::try_from(code)
                .ok()
                .filter(|code| *code != 0)
                .unwrap_or(FAILED),
        },
        // Not asked for: it did not end.
        TaskState::Queued | TaskState::Running => FAILURE,
    }
}

/// The first code that does not say that all is well.
pub(super) fn first_failure(codes: impl IntoIterator<Item = u8>) -> u8 {
    codes.into_iter().find(|code| *code != 0).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::task::sample;

    #[test]
    fn a_script_sees_how_a_task_ended() {
        for (state, reason, code, expected) in [
            (TaskState::Completed, EndReason::Exited, Some(0), 0),
            (TaskState::Failed, EndReason::Exited, Some(2), 2),
            (TaskState::Failed, EndReason::Signaled, Some(137), 137),
            (TaskState::Failed, EndReason::Exited, Some(-1), 1),
            (TaskState::Failed, EndReason::OutputLimit, Some(0), 1),
            (TaskState::Failed, EndReason::OutputLimit, None, 125),
            (TaskState::Failed, EndReason::Timeout, Some(143), 124),
            (TaskState::Failed, EndReason::IdleTimeout, None, 124),
            (TaskState::Failed, EndReason::StartFailed, None, 125),
            (TaskState::Stopped, EndReason::Terminated, Some(143), 130),
            (TaskState::Stopped, EndReason::Cancelled, None, 130),
            (TaskState::Interrupted, EndReason::ServerShutdown, Some(143), 125),
            (TaskState::Interrupted, EndReason::ServerLost, None, 125),
        ] {
            let mut task = sample::task("a");
            (task.state, task.end_reason, task.exit_code) = (state, Some(reason), code);
            assert_eq!(code_of(&task), expected, "{state:?} {reason:?} {code:?}");
        }
    }

    #[test]
    fn of_several_the_first_failure_counts() {
        assert_eq!(first_failure([0, 3, 2]), 3);
        assert_eq!(first_failure([0, 0]), 0);
        assert_eq!(first_failure([]), 0);
    }
}
