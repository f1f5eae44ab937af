//! The time of day, for records.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// One moment on both clocks: the one that counts and the one on the wall.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WallClock {
    instant: Instant,
    since_epoch: Duration,
}

impl WallClock {
    pub(crate) fn now() -> Self {
        Self {
            instant: Instant::now(),
            // A clock before 1970 is not set.
            since_epoch: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        }
    }

    /// This moment, in Unix milliseconds.
    pub(crate) fn ms(self) -> u64 {
        milliseconds(self.since_epoch)
    }

    /// An earlier moment, in Unix milliseconds, as the clock on the wall is set now.
    pub(crate) fn ms_of(self, earlier: Instant) -> u64 {
        let ago = self.instant.saturating_duration_since(earlier);
        milliseconds(self.since_epoch.saturating_sub(ago))
    }
}

/// A duration as it stands on the wire.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
