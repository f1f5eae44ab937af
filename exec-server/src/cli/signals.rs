//! Signals to this program.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask a server to leave, and the one that would make it.
#[derive(Debug)]
pub(super) struct Leave {
    terminate: Signal,
    interrupt: Signal,
    /// A file has grown beyond a limit of this program's. The write fails, and that is enough: it is one client's.
    _file_too_large: Signal,
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
            _file_too_large: signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?,
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
