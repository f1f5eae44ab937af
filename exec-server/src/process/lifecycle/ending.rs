//! How far a process has been asked to end.

use tokio::time::Instant;

use crate::limits::KILLED_DRAIN;

/// How far a process has been asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Nobody asked.
    NotAsked,
    /// The polite signal was sent.
    Polite {
        kill_at: Instant,
        /// Nobody will read it any more.
        is_final: bool,
        /// Nobody is left.
        is_empty: bool,
    },
    /// The kill was sent.
    Killed {
        /// When whoever is left is not waited for any longer.
        give_up_at: Instant,
        is_final: bool,
        is_empty: bool,
    },
}

impl Ending {
    pub(super) fn is_asked(self) -> bool {
        self != Self::NotAsked
    }

    /// Asks. A second wish can only bring the kill forward.
    pub(super) fn ask(&mut self, at: Instant, is_final: bool) {
        *self = match *self {
            Self::NotAsked => Self::Polite {
                kill_at: at,
                is_final,
                is_empty: false,
            },
            Self::Polite {
                kill_at,
                is_final: was_final,
                is_empty,
            } => Self::Polite {
                kill_at: kill_at.min(at),
                is_final: is_final || was_final,
                is_empty,
            },
            Self::Killed {
                give_up_at,
                is_final: was_final,
                is_empty,
            } => Self::Killed {
                give_up_at,
                is_final: is_final || was_final,
                is_empty,
            },
        };
    }

    pub(super) fn kill_at(self) -> Option<Instant> {
        match self {
            Self::Polite {
                kill_at,
                is_empty: false,
                ..
            } => Some(kill_at),
            // Nobody is left to be killed but who holds the output from elsewhere, and is given up.
            Self::Polite {
                kill_at, is_final, ..
            } => is_final.then_some(kill_at),
            Self::NotAsked | Self::Killed { .. } => None,
        }
    }

    pub(super) fn is_kill_due(self, now: Instant) -> bool {
        self.kill_at().is_some_and(|at| at <= now)
    }

    pub(super) fn killed(&mut self, now: Instant) {
        *self = Self::Killed {
            give_up_at: now + KILLED_DRAIN,
            is_final: self.is_final(),
            is_empty: self.is_empty(),
        };
    }

    pub(super) fn give_up_at(self) -> Option<Instant> {
        match self {
            Self::Killed { give_up_at, .. } => Some(give_up_at),
            Self::NotAsked | Self::Polite { .. } => None,
        }
    }

    pub(super) fn is_final(self) -> bool {
        match self {
            Self::NotAsked => false,
            Self::Polite { is_final, .. } | Self::Killed { is_final, .. } => is_final,
        }
    }

    pub(super) fn emptied(&mut self) {
        match self {
            Self::NotAsked => {}
            Self::Polite { is_empty, .. } | Self::Killed { is_empty, .. } => *is_empty = true,
        }
    }

    pub(super) fn is_empty(self) -> bool {
        match self {
            Self::NotAsked => false,
            Self::Polite { is_empty, .. } | Self::Killed { is_empty, .. } => is_empty,
        }
    }
}
