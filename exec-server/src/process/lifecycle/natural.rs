//! How a process ended that nobody asked to end.

use exec_protocol::process::EndReason;
use pty_utils::ExitStatus;
use rustix::process::Signal;

/// Why a leader ended by itself, with this status if it is known.
///
/// A kill for want of memory looks like any other. So it is asked for, and only then, whether the system has killed
/// somebody of the tree for that: a leader that survives such an end of another one has a reason of its own.
pub(crate) fn natural_end(status: Option<ExitStatus>, ran_out_of_memory: impl FnOnce() -> bool) -> EndReason {
    match status {
        Some(ExitStatus::Signal(number)) if number == Signal::KILL.as_raw() && ran_out_of_memory() => {
            EndReason::Oom
        }
        Some(ExitStatus::Signal(_)) => EndReason::Signaled,
        Some(ExitStatus::Code(_)) | None => EndReason::Exited,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_kill_can_be_for_want_of_memory() {
        for (status, ran_out, reason) in [
            (Some(ExitStatus::Signal(9)), true, EndReason::Oom),
            (Some(ExitStatus::Signal(9)), false, EndReason::Signaled),
            (Some(ExitStatus::Signal(11)), true, EndReason::Signaled),
            (Some(ExitStatus::Code(137)), true, EndReason::Exited),
            (None, true, EndReason::Exited),
        ] {
            assert_eq!(natural_end(status, || ran_out), reason, "{status:?}");
        }
    }
}
