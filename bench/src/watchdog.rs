//! A limit of time for calls that block.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::proc;

/// How often the family is killed again once the time is up: a child may be on its way.
const AGAIN: Duration = Duration::from_millis(50);

/// Kills every descendant of this process when the time is up.
///
/// Whoever blocks in a read from one of them gets its end of file, so that no call needs a limit of its own.
#[derive(Debug)]
pub(crate) struct Watchdog {
    off: Sender<()>,
    thread: JoinHandle<bool>,
}

impl Watchdog {
    /// Begins to wait.
    pub(crate) fn start(limit: Duration) -> Self {
        let (off, is_off) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut wait = limit;
            let mut has_bitten = false;
            while is_off.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                proc::kill_descendants();
                (wait, has_bitten) = (AGAIN, true);
            }
            has_bitten
        });
        Self { off, thread }
    }

    /// Stops waiting. True if the time was up.
    pub(crate) fn stop(self) -> bool {
        drop(self.off);
        self.thread.join().unwrap_or(true)
    }
}
