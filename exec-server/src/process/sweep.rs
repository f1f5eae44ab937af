//! What a closed process leaves behind.

use std::time::Duration;

use pty_utils::{Leader, Signal};
use tokio::time::{Instant, sleep_until};

use super::Process;

/// The first pause between two looks at what is left of a session; each further one is twice as long, as
/// looking means looking at every process there is.
const FIRST_SWEEP_PAUSE: Duration = Duration::from_millis(10);

/// Sees to it that nobody is left of a closed process's session: waits for those who still obey the
/// polite signal, until the grace period is over, and kills the rest.
pub(super) async fn sweep(process: &Process, leader: &Leader, mut at: Instant) {
    let mut pause = FIRST_SWEEP_PAUSE;
    // A session that cannot be looked at is taken to have members.
    while Instant::now() < at && leader.has_followers().unwrap_or(true) {
        tokio::select! {
            () = sleep_until(at.min(Instant::now() + pause)) => pause *= 2,
            () = process.mail.notified() => {
                if let Some(stop) = process.lock().stop.take() {
                    at = at.min(Instant::now() + stop.grace);
                }
            }
        }
    }
    if let Err(error) = leader.signal_followers(Signal::Kill) {
        tracing::warn!(%error, "what a process left behind could not be killed");
    }
}
