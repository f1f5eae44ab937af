//! Signals to this program.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask a server to leave, and the one that would make it.
#[derive(Debug)]
pub(super) struct Leave {
    terminate: Signal,
    interrupt: Signal,
    /// Whoever is served is gone, where that is the program that started this one.
    hangup: Option<Signal>,
    /// A file has grown beyond a limit of this program's. The write fails, and that is enough: it is one client's.
    _file_too_large: Signal,
}

/// The signal that tells a server which stays to read its files again.
#[derive(Debug)]
pub(super) struct Reload(Signal);

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
            hangup: None,
            _file_too_large: signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?,
        })
    }

    /// The same, and a hang-up asks to leave as well.
    ///
    /// # Errors
    ///
    /// When a handler cannot be installed.
    pub(super) fn or_hang_up(self) -> io::Result<Self> {
        Ok(Self {
            hangup: Some(signal(SignalKind::hangup())?),
            ..self
        })
    }

    /// Waits for the next one.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn next(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = hangup => {}
        }
    }
}

impl Reload {
    /// From now on a hang-up no longer ends the program by itself.
    ///
    /// # Errors
    ///
    /// When a handler cannot be installed.
    pub(super) fn new() -> io::Result<Self> {
        signal(SignalKind::hangup()).map(Self)
    }

    /// Waits for the next one.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn next(&mut self) {
        // None would mean that the runtime is gone.
        self.0.recv().await;
    }
}
