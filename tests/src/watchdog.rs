//! The end of a test that cannot come to its end by itself.

use std::io::Write as _;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// Longest time that a test may take in all.
///
/// Each of its waits is bounded, but a server in memory that never lets go of the thread keeps them
/// from noticing. The slowest test takes a twentieth of this on a loaded machine.
const LONGEST_TEST: Duration = Duration::from_mins(5);

/// Ends the program, loudly, unless it is dropped in time.
#[derive(Debug)]
pub(crate) struct Watchdog(#[expect(dead_code, reason = "that it is dropped is the message")] Sender<()>);

impl Watchdog {
    /// Watches over the test that runs in this thread.
    pub(crate) fn start() -> Self {
        let name = thread::current().name().unwrap_or("a test").to_owned();
        let (alive, test) = channel();
        thread::spawn(move || {
            if test.recv_timeout(LONGEST_TEST) == Err(RecvTimeoutError::Timeout) {
                // Whether or not that can be said, the test must end.
                let _ = writeln!(std::io::stderr(), "{name} does not end within {LONGEST_TEST:?}");
                std::process::abort();
            }
        });
        Self(alive)
    }
}
