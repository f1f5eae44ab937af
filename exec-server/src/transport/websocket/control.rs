//! How many pings and pongs a peer may send. Pure.

use std::time::Duration;

use tokio::time::Instant;

use crate::limits::{CONTROL_FRAMES_AT_ONCE, CONTROL_FRAMES_PER_SECOND};

/// From one ping or pong to the next, at the rate that is allowed for ever.
const BETWEEN_CONTROL_FRAMES: Duration =
    Duration::from_nanos(1_000_000_000 / CONTROL_FRAMES_PER_SECOND as u64);

/// Whether a ping or a pong was one too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Control {
    /// It may come.
    Allowed,
    /// Its peer has nothing else in mind.
    TooMany,
}

/// The pings and pongs of one peer: so many at once, and so many a second from then on.
///
/// Only a moment is kept, and what is added to it is a whole number of nanoseconds: nothing is rounded, so nothing adds up,
/// however long a connection lasts.
#[derive(Debug)]
pub(super) struct ControlFrames {
    /// From when on it may send as many at once as ever. Each of them puts that off.
    recovered: Instant,
}

impl ControlFrames {
    pub(super) fn new(now: Instant) -> Self {
        Self { recovered: now }
    }

    /// Counts one that came now. What is too much does not count.
    pub(super) fn came(&mut self, now: Instant) -> Control {
        let recovered = self.recovered.max(now) + BETWEEN_CONTROL_FRAMES;
        if recovered > now + BETWEEN_CONTROL_FRAMES * CONTROL_FRAMES_AT_ONCE {
            return Control::TooMany;
        }
        self.recovered = recovered;
        Control::Allowed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// How many of a flood are let through at this moment.
    fn let_through(frames: &mut ControlFrames, now: Instant) -> u32 {
        let allowed = (0..10_000).take_while(|_| frames.came(now) == Control::Allowed);
        u32::try_from(allowed.count()).unwrap()
    }

    #[test]
    fn so_many_may_come_at_once_and_128_a_second_from_then_on() {
        let start = Instant::now();
        let mut frames = ControlFrames::new(start);
        assert_eq!(let_through(&mut frames, start), CONTROL_FRAMES_AT_ONCE);
        for seconds in 1..100 {
            assert_eq!(let_through(&mut frames, start + SECOND * seconds), 128);
        }
    }

    #[test]
    fn who_pauses_for_long_may_send_no_more_at_once_than_ever() {
        let start = Instant::now();
        let mut frames = ControlFrames::new(start);
        assert_eq!(
            let_through(&mut frames, start + 1_000_000 * SECOND),
            CONTROL_FRAMES_AT_ONCE
        );
    }

    #[test]
    fn a_million_at_the_allowed_rate_add_up_to_nothing() {
        let mut now = Instant::now();
        let mut frames = ControlFrames::new(now);
        for _ in 0..1_000_000 {
            assert_eq!(frames.came(now), Control::Allowed);
            now += BETWEEN_CONTROL_FRAMES;
        }
        assert_eq!(let_through(&mut frames, now), CONTROL_FRAMES_AT_ONCE);
    }

    proptest! {
        #[test]
        fn it_is_a_bucket_that_fills_by_the_second(
            // Milliseconds before each bunch of frames, and how many come in it.
            bunches in prop::collection::vec((0_u64..20_000, 0_u32..5_000), 1..50),
        ) {
            let full = f64::from(CONTROL_FRAMES_AT_ONCE);
            let mut now = Instant::now();
            let mut frames = ControlFrames::new(now);
            let mut left = full;
            for (pause_ms, came) in bunches {
                let pause = Duration::from_millis(pause_ms);
                now += pause;
                left = full.min(left + pause.div_duration_f64(BETWEEN_CONTROL_FRAMES));
                for _ in 0..came {
                    let allowed = frames.came(now) == Control::Allowed;
                    // Where the model is a hair from the edge, it may be on either side of it.
                    prop_assert!(allowed == (left >= 1.0) || (left - 1.0).abs() < 1e-6, "{left} are left");
                    if allowed {
                        left -= 1.0;
                    }
                }
            }
        }
    }
}
