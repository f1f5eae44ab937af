//! How far a process has come, for whoever counts.

use super::{Phase, Process};

/// How far a process has come that was spawned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It runs.
    Running,
    /// It has exited, and somebody still holds its output.
    Exited,
    /// No output will follow.
    Closed,
}

impl Process {
    /// How far the process has come. None while its spawn is under way, and if it failed.
    pub(crate) fn progress(&self) -> Option<Progress> {
        match *self.phase.borrow() {
            Phase::Starting | Phase::Gone => None,
            Phase::Open if self.log.exit().is_none() => Some(Progress::Running),
            Phase::Open | Phase::Closing => Some(Progress::Exited),
            Phase::Outlived | Phase::Closed => Some(Progress::Closed),
        }
    }
}
