//! The life of one process, as a pure state machine.
//!
//! ```text
//!              leader exits            end of output, or it is given up
//!   Running ─────────────────► Draining ──────────────────────────────► Closed
//!      └── end of output, then the exit ───────────────────────────────────▲
//! ```
//!
//! Beside it runs the [`Ending`]: whether somebody wants the process gone, and how far that is. Once somebody does,
//! the process closes only when nobody is left of it.

mod ending;
mod natural;

use std::time::Duration;

use exec_protocol::process::EndReason;
use tokio::time::Instant;

use ending::Ending;
pub(crate) use natural::natural_end;

/// The times that a process lives by, from its start on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    /// From the polite signal to the kill, where who asks does not say.
    pub(crate) grace: Duration,
    /// How long it may run.
    pub(crate) timeout: Option<Duration>,
    /// How long it may say nothing.
    pub(crate) idle_timeout: Option<Duration>,
    /// How long after the leader's exit the end of output is waited for.
    pub(crate) drain_grace: Option<Duration>,
}

/// Where a process is in its life, and what it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lifecycle {
    terms: Terms,
    stage: Stage,
    /// Output may end long before the leader does.
    output: Output,
    ending: Ending,
    /// Why it is to end: the first wish before the exit.
    reason: Option<EndReason>,
    timeout_at: Option<Instant>,
    idle_at: Option<Instant>,
    drained_at: Option<Instant>,
}

/// Where a process is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Running,
    Draining,
    Closed,
}

/// Whether every writer of the output is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    Open,
    Ended,
}

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// Somebody wants the process gone, at the latest after this time.
    Stop {
        reason: EndReason,
        grace: Duration,
        /// Nobody will read it any more: it need not be waited for beyond the kill.
        is_final: bool,
    },
    /// The leader has ended, and what it had left was published.
    LeaderExited,
    /// Every output came to its end.
    OutputEnded,
    /// Nobody is left, the leader included. Only of a process that was asked to end.
    Emptied,
    /// The deadline may have passed. The process said something last at this time, or it is not
    /// known, because it was not read all the time.
    Tick { quiet_since: Option<Instant> },
}

/// What the owner has to do. The machine itself does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Effect {
    Nothing,
    SignalPolitely,
    Kill,
    /// The leader has ended, for this reason unless it did so by itself.
    PublishExit(Option<EndReason>),
    Close(Close),
}

/// How a process closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Close {
    /// Nobody can write any more.
    Complete,
    /// Somebody still holds the output, and is not waited for any longer.
    GivenUp,
}

impl Lifecycle {
    /// A process whose child was just spawned.
    pub(crate) fn spawned(terms: Terms, now: Instant) -> Self {
        Self {
            terms,
            stage: Stage::Running,
            output: Output::Open,
            ending: Ending::NotAsked,
            reason: None,
            timeout_at: terms.timeout.map(|timeout| now + timeout),
            idle_at: terms.idle_timeout.map(|timeout| now + timeout),
            drained_at: None,
        }
    }

    /// Whether no output will follow.
    pub(crate) fn is_closed(&self) -> bool {
        self.stage == Stage::Closed
    }

    /// Whether somebody wants it gone.
    pub(crate) fn is_to_end(&self) -> bool {
        self.ending.is_asked()
    }

    /// Whether somebody wants it gone, so that it matters whether anybody is left.
    pub(crate) fn awaits_emptiness(&self) -> bool {
        self.stage != Stage::Closed && self.ending.is_asked() && !self.ending.is_empty()
    }

    /// Moves on. An event that makes no sense in a state is a race, not a bug: it changes nothing.
    /// After a publication there may be more to do: step again with a tick.
    pub(crate) fn step(&mut self, now: Instant, event: Event) -> Effect {
        if self.is_closed() {
            return Effect::Nothing;
        }
        match event {
            Event::Stop {
                reason,
                grace,
                is_final,
            } => return self.stop(now, reason, grace, is_final),
            Event::LeaderExited if self.stage == Stage::Running => {
                self.stage = Stage::Draining;
                self.drained_at = self.terms.drain_grace.map(|grace| now + grace);
                return Effect::PublishExit(self.reason);
            }
            Event::LeaderExited => {}
            Event::OutputEnded => self.output = Output::Ended,
            Event::Emptied => self.ending.emptied(),
            Event::Tick { quiet_since } => {
                if let Some(reason) = self.expired(now, quiet_since) {
                    return self.stop(now, reason, self.terms.grace, false);
                }
                if self.ending.is_kill_due(now) {
                    self.ending.killed(now);
                    return Effect::Kill;
                }
            }
        }
        self.close_if_due(now)
    }

    /// When the owner has to step with [`Event::Tick`], if ever.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let at = match self.stage {
            Stage::Closed => return None,
            // A leader that the kill has not ended yet is waited for: its exit cannot be made up.
            Stage::Running => self.ending.kill_at(),
            Stage::Draining => {
                let given_up = self.ending.give_up_at().filter(|_| {
                    self.ending.is_final() || (self.output == Output::Ended && !self.ending.is_empty())
                });
                let drained = self.drained_at.filter(|_| self.output == Output::Open);
                self.ending
                    .kill_at()
                    .into_iter()
                    .chain(given_up)
                    .chain(drained)
                    .min()
            }
        };
        let limits = self.timeout_at.into_iter().chain(self.idle_at);
        at.into_iter().chain(limits).min()
    }

    fn stop(&mut self, now: Instant, reason: EndReason, grace: Duration, is_final: bool) -> Effect {
        if self.stage == Stage::Running {
            self.reason.get_or_insert(reason);
        }
        // From now on there is nothing more that a limit could bring about.
        self.timeout_at = None;
        self.idle_at = None;
        let was_asked = self.ending.is_asked();
        self.ending.ask(now + grace, is_final);
        if self.ending.is_kill_due(now) {
            self.ending.killed(now);
            Effect::Kill
        } else if was_asked {
            Effect::Nothing
        } else {
            Effect::SignalPolitely
        }
    }

    /// The limit that was reached.
    fn expired(&mut self, now: Instant, quiet_since: Option<Instant>) -> Option<EndReason> {
        if self.timeout_at.is_some_and(|at| at <= now) {
            return Some(EndReason::Timeout);
        }
        let timeout = self.terms.idle_timeout?;
        self.idle_at.filter(|at| *at <= now)?;
        let due = quiet_since.unwrap_or(now) + timeout;
        if due <= now {
            return Some(EndReason::IdleTimeout);
        }
        self.idle_at = Some(due);
        None
    }

    fn close_if_due(&mut self, now: Instant) -> Effect {
        if self.stage != Stage::Draining {
            return Effect::Nothing;
        }
        let is_given_up = self.ending.give_up_at().is_some_and(|at| at <= now);
        let is_drained = self.output == Output::Ended
            || self.drained_at.is_some_and(|at| at <= now)
            || (is_given_up && self.ending.is_final());
        let is_alone = !self.ending.is_asked() || self.ending.is_empty() || is_given_up;
        if !(is_drained && is_alone) {
            return Effect::Nothing;
        }
        self.stage = Stage::Closed;
        Effect::Close(match self.output {
            Output::Ended => Close::Complete,
            Output::Open => Close::GivenUp,
        })
    }
}

#[cfg(test)]
mod tests;
