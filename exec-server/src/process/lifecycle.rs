//! The life of one process, as a pure state machine.
//!
//! ```text
//!              leader exits                 end of output
//!   Running ─────────────────► Draining ─────────────────► Closed
//!      └── end of output, then the exit ─────────────────────▲
//! ```
//!
//! Beside it runs the [`Ending`]: whether somebody wants the process gone, and how far that is.

use std::time::Duration;

use tokio::time::Instant;

use crate::limits::KILLED_DRAIN;

/// Where a process is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifecycle {
    /// The leader has not ended.
    Running {
        /// Output may end long before the leader does.
        output: Output,
        ending: Ending,
    },
    /// The leader has ended; somebody else still holds the output.
    Draining { ending: Ending },
    /// No output will follow. Final.
    Closed,
}

/// Whether every writer of the output is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    Open,
    Ended,
}

/// How far the process has been asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Nobody asked.
    NotAsked,
    /// The polite signal was sent.
    Polite {
        kill_at: Instant,
        /// Whether the output is given up soon after the kill, too.
        is_final: bool,
    },
    /// The kill was sent.
    Killed {
        /// When the output is given up, whoever holds it.
        give_up_at: Option<Instant>,
    },
}

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// Somebody wants the process gone, at the latest after this time.
    Stop {
        grace: Duration,
        /// Nobody will read it any more: it need not be waited for beyond the kill.
        is_final: bool,
    },
    /// The leader has ended, and what it had left was published.
    LeaderExited,
    /// Every output came to its end.
    OutputEnded,
    /// The deadline may have passed.
    Tick,
}

/// What the owner has to do. The machine itself does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Effect {
    Nothing,
    SignalPolitely,
    Kill,
    PublishExit,
    PublishClosed,
    /// The exit first.
    PublishExitAndClosed,
}

impl Lifecycle {
    /// A process whose child was just spawned.
    pub(crate) const SPAWNED: Self = Self::Running {
        output: Output::Open,
        ending: Ending::NotAsked,
    };

    /// Moves on. An event that makes no sense in a state is a race, not a bug: it changes nothing.
    pub(crate) fn step(&mut self, now: Instant, event: Event) -> Effect {
        match (&mut *self, event) {
            (Self::Closed, _) => Effect::Nothing,
            (Self::Running { ending, .. } | Self::Draining { ending }, Event::Stop { grace, is_final }) => {
                ending.stop(now, grace, is_final)
            }
            (
                Self::Running {
                    output: Output::Open,
                    ending,
                },
                Event::LeaderExited,
            ) => {
                *self = Self::Draining { ending: *ending };
                Effect::PublishExit
            }
            (
                Self::Running {
                    output: Output::Ended,
                    ..
                },
                Event::LeaderExited,
            ) => {
                *self = Self::Closed;
                Effect::PublishExitAndClosed
            }
            (Self::Running { output, .. }, Event::OutputEnded) => {
                *output = Output::Ended;
                Effect::Nothing
            }
            (Self::Draining { .. }, Event::OutputEnded) => {
                *self = Self::Closed;
                Effect::PublishClosed
            }
            (Self::Draining { ending }, Event::Tick) if ending.is_given_up(now) => {
                *self = Self::Closed;
                Effect::PublishClosed
            }
            (Self::Running { ending, .. } | Self::Draining { ending }, Event::Tick) => ending.tick(now),
            (Self::Draining { .. }, Event::LeaderExited) => Effect::Nothing,
        }
    }

    /// When the owner has to step with [`Event::Tick`], if ever.
    pub(crate) fn deadline(self) -> Option<Instant> {
        match self {
            Self::Closed => None,
            // A leader that the kill has not ended yet is waited for: its exit cannot be made up.
            Self::Running {
                ending: Ending::Killed { .. },
                ..
            } => None,
            Self::Running { ending, .. } | Self::Draining { ending } => ending.deadline(),
        }
    }
}

impl Ending {
    /// A second wish can only bring the kill forward.
    fn stop(&mut self, now: Instant, grace: Duration, is_final: bool) -> Effect {
        let (kill_at, was_final, effect) = match *self {
            Self::NotAsked => (now + grace, false, Effect::SignalPolitely),
            Self::Polite { kill_at, is_final } => (kill_at.min(now + grace), is_final, Effect::Nothing),
            Self::Killed { give_up_at } => {
                let give_up_at = give_up_at.or(is_final.then_some(now + KILLED_DRAIN));
                *self = Self::Killed { give_up_at };
                return Effect::Kill;
            }
        };
        *self = Self::Polite {
            kill_at,
            is_final: is_final || was_final,
        };
        if kill_at <= now { self.tick(now) } else { effect }
    }

    fn tick(&mut self, now: Instant) -> Effect {
        match *self {
            Self::Polite { kill_at, is_final } if kill_at <= now => {
                *self = Self::Killed {
                    give_up_at: is_final.then_some(now + KILLED_DRAIN),
                };
                Effect::Kill
            }
            Self::NotAsked | Self::Polite { .. } | Self::Killed { .. } => Effect::Nothing,
        }
    }

    fn is_given_up(self, now: Instant) -> bool {
        matches!(self, Self::Killed { give_up_at: Some(at) } if at <= now)
    }

    fn deadline(self) -> Option<Instant> {
        match self {
            Self::NotAsked => None,
            Self::Polite { kill_at, .. } => Some(kill_at),
            Self::Killed { give_up_at } => give_up_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GRACE: Duration = Duration::from_secs(2);

    fn stop(is_final: bool) -> Event {
        Event::Stop {
            grace: GRACE,
            is_final,
        }
    }

    #[test]
    fn a_process_that_ignores_the_polite_signal_is_killed_once() {
        let (mut life, start) = (Lifecycle::SPAWNED, Instant::now());
        assert_eq!(life.step(start, stop(false)), Effect::SignalPolitely);
        assert_eq!(life.step(start + GRACE / 2, Event::Tick), Effect::Nothing);
        let due = life.deadline().unwrap();
        assert_eq!(due, start + GRACE);
        assert_eq!(life.step(due, Event::Tick), Effect::Kill);
        assert_eq!(life.step(due, Event::Tick), Effect::Nothing);
        assert_eq!(life.step(due, Event::LeaderExited), Effect::PublishExit);
        assert_eq!(life.deadline(), None);
        assert_eq!(life.step(due, Event::OutputEnded), Effect::PublishClosed);
    }

    #[test]
    fn a_second_wish_only_brings_the_kill_forward() {
        let (mut life, start) = (Lifecycle::SPAWNED, Instant::now());
        let _ = life.step(start, stop(false));
        assert_eq!(life.step(start + GRACE / 2, stop(false)), Effect::Nothing);
        assert_eq!(life.deadline(), Some(start + GRACE));
        assert_eq!(
            life.step(
                start + GRACE / 2,
                Event::Stop {
                    grace: Duration::ZERO,
                    is_final: false
                }
            ),
            Effect::Kill
        );
    }

    #[test]
    fn only_a_final_stop_gives_the_output_up() {
        for is_final in [false, true] {
            let (mut life, start) = (Lifecycle::SPAWNED, Instant::now());
            let _ = life.step(
                start,
                Event::Stop {
                    grace: Duration::ZERO,
                    is_final,
                },
            );
            assert_eq!(life.step(start, Event::LeaderExited), Effect::PublishExit);
            assert_eq!(life.deadline(), is_final.then_some(start + KILLED_DRAIN));
            let later = life.step(start + KILLED_DRAIN, Event::Tick);
            assert_eq!(
                later,
                if is_final {
                    Effect::PublishClosed
                } else {
                    Effect::Nothing
                }
            );
        }
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            (0..3_u64, any::<bool>()).prop_map(|(secs, is_final)| Event::Stop {
                grace: Duration::from_secs(secs),
                is_final
            }),
            Just(Event::LeaderExited),
            Just(Event::OutputEnded),
            Just(Event::Tick),
        ]
    }

    proptest! {
        #[test]
        fn exit_and_close_are_published_once_each_and_in_order(
            events in prop::collection::vec((event(), 0..1500_u64), 0..40),
        ) {
            let (mut life, mut now) = (Lifecycle::SPAWNED, Instant::now());
            let (mut exited, mut closed) = (0, 0);
            for (event, millis) in events {
                now += Duration::from_millis(millis);
                let was_closed = life == Lifecycle::Closed;
                let effect = life.step(now, event);
                prop_assert!(!was_closed || effect == Effect::Nothing);
                match effect {
                    Effect::PublishExit => exited += 1,
                    Effect::PublishClosed => closed += 1,
                    Effect::PublishExitAndClosed => { exited += 1; closed += 1; }
                    Effect::Nothing | Effect::SignalPolitely | Effect::Kill => {}
                }
                prop_assert!(exited <= 1 && closed <= exited);
                prop_assert_eq!(life == Lifecycle::Closed, closed == 1);
            }
        }
    }
}
