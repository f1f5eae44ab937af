//! A timer for a moment that keeps moving away.

use std::pin::Pin;

use tokio::time::{Instant, Sleep, sleep_until};

/// A timer for a moment that keeps moving away, such as one that is counted from the last message.
///
/// It is not set anew each time: it looks where the moment is when it would have been.
#[derive(Debug)]
pub(super) struct Alarm(Pin<Box<Sleep>>);

impl Alarm {
    pub(super) fn new() -> Self {
        Self(Box::pin(sleep_until(Instant::now())))
    }

    /// Waits until the moment that `due` tells, which must not come nearer. None is never.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn rings(&mut self, due: impl Fn() -> Option<Instant>) {
        loop {
            self.0.as_mut().await;
            match due() {
                Some(due) if due <= Instant::now() => return,
                Some(due) => self.0.as_mut().reset(due),
                None => std::future::pending().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_rings_when_the_moment_stops_moving() {
        let began = Instant::now();
        let second = Duration::from_secs(1);
        let looks = Cell::new(0);
        let mut alarm = Alarm::new();
        for round in 1..3 {
            // Each of the first looks finds it a second further away.
            let moves = || {
                looks.set(looks.get() + 1);
                Some(began + round * 10 * second.min(second * looks.get()))
            };
            alarm.rings(moves).await;
            assert_eq!(began.elapsed().as_secs(), u64::from(round) * 10);
        }
        assert!(looks.get() <= 5, "it looked {} times", looks.get());
    }
}
