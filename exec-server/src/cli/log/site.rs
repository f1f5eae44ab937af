//! How often one place in the code may log (pure).

use tokio::time::Instant;

use crate::limits::{LOG_BURST, LOG_LINE_EVERY};

/// What one place in the code may still say, and what it was not allowed to.
///
/// # Invariant
///
/// In any time `t` it says at most [`LOG_BURST`] lines and one more for each [`LOG_LINE_EVERY`] in `t`, those included that tell
/// what was left out.
#[derive(Debug, Default)]
pub(super) struct Site {
    /// When it may say a whole burst again. None: it has said nothing yet.
    rested_at: Option<Instant>,
    /// What was left out and not told yet.
    left_out: Option<LeftOut>,
}

#[derive(Debug, Clone, Copy)]
struct LeftOut {
    lines: u64,
    last: Instant,
}

/// What comes of something that a place has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is said, and with it how many lines were left out before it.
    Said {
        /// The number of those lines.
        left_out: u64,
    },
    /// It is only counted.
    LeftOut,
}

impl Site {
    /// There is something to say.
    pub(super) fn admit(&mut self, now: Instant) -> Admission {
        if self.may_speak(now) {
            self.spend(now);
            let left_out = self.left_out.take();
            return Admission::Said {
                left_out: left_out.map_or(0, |left_out| left_out.lines),
            };
        }
        let before = self.left_out.map_or(0, |left_out| left_out.lines);
        self.left_out = Some(LeftOut {
            lines: before + 1,
            last: now,
        });
        Admission::LeftOut
    }

    /// When it is told what was left out, if nothing else is said until then. None: nothing was.
    pub(super) fn tell_at(&self) -> Option<Instant> {
        self.left_out.map(|left_out| left_out.last + LOG_LINE_EVERY)
    }

    /// How many lines were left out. They count as told, in a line of their own.
    pub(super) fn tell(&mut self, now: Instant) -> u64 {
        self.spend(now);
        self.left_out.take().map_or(0, |left_out| left_out.lines)
    }

    fn may_speak(&self, now: Instant) -> bool {
        let spent = self
            .rested_at
            .map(|rested_at| rested_at.saturating_duration_since(now));
        spent.is_none_or(|spent| spent <= LOG_LINE_EVERY * (LOG_BURST - 1))
    }

    fn spend(&mut self, now: Instant) {
        let from = self.rested_at.map_or(now, |rested_at| rested_at.max(now));
        self.rested_at = Some(from + LOG_LINE_EVERY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    /// A bucket of tokens, in milliseconds of rest, that is filled step by step.
    struct Model {
        rest_ms: u64,
        left_out: u64,
    }

    const LINE_MS: u64 = LOG_LINE_EVERY.as_secs() * 1000;
    const FULL_MS: u64 = LINE_MS * LOG_BURST as u64;

    proptest! {
        #[test]
        fn a_site_says_what_a_bucket_of_tokens_lets_it_say(pauses in prop::collection::vec(0_u64..3 * LINE_MS, 0..200)) {
            let mut now = Instant::now();
            let mut site = Site::default();
            let mut model = Model { rest_ms: FULL_MS, left_out: 0 };
            for pause in pauses {
                // Many at once, and some after a while.
                let pause = if pause % 3 == 0 { pause } else { pause % 7 };
                now += Duration::from_millis(pause);
                model.rest_ms = FULL_MS.min(model.rest_ms + pause);
                if let Some(tell_at) = site.tell_at() && tell_at <= now {
                    prop_assert!(model.rest_ms >= LINE_MS, "it speaks out of turn");
                    model.rest_ms -= LINE_MS;
                    prop_assert_eq!(site.tell(now), std::mem::take(&mut model.left_out));
                }
                if model.rest_ms >= LINE_MS {
                    model.rest_ms -= LINE_MS;
                    let left_out = std::mem::take(&mut model.left_out);
                    prop_assert_eq!(site.admit(now), Admission::Said { left_out });
                } else {
                    model.left_out += 1;
                    prop_assert_eq!(site.admit(now), Admission::LeftOut);
                    prop_assert_eq!(site.tell_at(), Some(now + LOG_LINE_EVERY));
                }
            }
        }
    }

    #[test]
    fn a_flood_is_a_burst_and_then_a_line_at_a_time() {
        let start = Instant::now();
        let mut site = Site::default();
        let said = (0..10_000)
            .filter(|at| {
                let now = start + Duration::from_millis(*at);
                site.admit(now) != Admission::LeftOut
            })
            .count();
        assert_eq!(
            said,
            usize::try_from(u64::from(LOG_BURST) + 9_999 / LINE_MS).unwrap()
        );
    }
}
