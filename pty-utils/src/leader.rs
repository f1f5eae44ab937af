//! The process at the head of a child's group: signals and the exit status.
use crate::{exit::ExitStatus, signal::Signal, sys};
use std::io;

/// The process that a spawn created: leader of a session and of a group, both with its pid as their id.
///
/// As long as a leader exists here, it is not reaped, so that neither its pid nor its group id can be given
/// to another process; unless somebody killed its supervisor, and then a signal goes to those only who are known to
/// be its own (see [`Containment::Supervisor`](crate::Containment::Supervisor)). Dropping it sends `SIGKILL` to its tree (see [`Tree`](crate::Tree)) and waits, on the thread
/// that drops it, until the leader is gone, which took 0.3 ms: this is for what was abandoned; the ordinary end is
/// [`Tree::release`](crate::Tree::release). Only a leader that became another user and cannot be killed is left
/// alone.
#[derive(Debug)]
pub struct Leader {
    process: sys::Leader,
}

impl Leader {
    pub(crate) fn new(process: sys::Leader) -> Self {
        Self { process }
    }

    pub(crate) fn into_inner(self) -> sys::Leader {
        self.process
    }

    /// The pid, which is also the id of the group and of the session.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Waits for the exit. The leader is not reaped, so this can be called again and answers the same.
    /// Only the task that asked last is woken.
    ///
    /// Descendants may live on, and output may still be in the pipes.
    ///
    /// # Errors
    /// `ECHILD` if this process ignores `SIGCHLD` or reaped the child elsewhere, which it must not, or if
    /// somebody killed its supervisor and the leader, which dies with that, cannot be killed.
    ///
    /// # Cancel safety
    /// Cancel safe: the status stays with the kernel.
    pub async fn exited(&self) -> io::Result<ExitStatus> {
        self.process.exited().await
    }

    /// Sends a signal to every process of the group. False if nobody in it is alive; a leader that has exited
    /// is not, and after its exit this looks at every process of the system.
    ///
    /// # Errors
    /// `EPERM` if all of them run as somebody else. After the exit, when `/proc` cannot be read.
    pub fn signal_group(&self, signal: Signal) -> io::Result<bool> {
        self.process.signal_group(signal)
    }
}
