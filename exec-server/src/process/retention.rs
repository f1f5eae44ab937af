//! How long a closed process is kept.

use std::time::Duration;

use tokio::time::Instant;

use super::Process;
use crate::deadline::until;

/// Why a process is not kept any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Release {
    /// Its time is over, or others need the room: how it ended is still to be known.
    Expired,
    /// Its client wants it no longer.
    Forgotten,
    /// Nobody will ask for it, and its last words are being told.
    SessionOver,
}

impl Process {
    /// Keeps an ended process no longer: others need the room.
    pub(crate) fn expire(&self) {
        self.release(Release::Expired);
    }

    /// Keeps an ended process no longer: its client does not want it.
    pub(crate) fn forget(&self) {
        self.release(Release::Forgotten);
    }

    fn release(&self, release: Release) {
        self.lock().release.get_or_insert(release);
        self.release.notify_one();
    }

    /// Waits until its client wants it no longer, or nobody will ask for it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(crate) async fn forgotten(&self) {
        while self.lock().release.is_none() {
            self.release.notified().await;
        }
    }

    /// Waits until the process need not be kept any longer: `retain_ended` after a client was told of its close,
    /// not counting the time in which its session has no connection; or when somebody gives it up, or needs its memory.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the time would be counted anew.
    pub(crate) async fn retained(&self, retain_ended: Duration) -> Release {
        let mut deadline = None;
        loop {
            if let Some(release) = self.lock().release {
                return release;
            }
            tokio::select! {
                // A connection that comes back has the whole time to read.
                () = self.log.retention_runs(deadline.is_none()) => {
                    deadline = match deadline {
                        None => Some(Instant::now() + retain_ended),
                        Some(_) => None,
                    };
                }
                () = self.release.notified() => {}
                () = self.log.discarded() => return Release::Expired,
                () = until(deadline) => return Release::Expired,
            }
        }
    }
}
