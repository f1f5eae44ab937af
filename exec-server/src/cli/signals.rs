//! Signals to this program.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask a server to leave.
#[derive(Debug)]
pub(super) struct Leave {
    terminate: Signal,
    interrupt: Signal,
}

impl Leave {
    /// From now on these signals no longer end the program by themselves.
    ///
    /// # Errors
    ///
    /// When a handler cannot be installed.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next one.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
