//! Who outlives a closed process.

use std::time::Duration;

use pty_utils::{Leftovers, Signal};
use tokio::time::{Instant, sleep};

use super::{Phase, Process};
use crate::deadline::until;
use crate::limits::KILLED_DRAIN;

/// How often a kill is tried, [`KILLED_DRAIN`] apart, before whoever is left is left to the system.
const KILLS: usize = 10;

/// How long is waited after it could not be found out who is left, most often for want of descriptors.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Waits until nobody is left of a closed process, and ends them when somebody asks for it: politely, and by the kill
/// when the grace period is over.
///
/// # Cancel safety
///
/// Not cancel safe: dropping it kills them.
pub(crate) async fn look_after(process: &Process, leftovers: Leftovers) {
    let mut kill_at: Option<Instant> = None;
    let mut kills = 0;
    let gone = gone(&leftovers);
    tokio::pin!(gone);
    while kills < KILLS {
        tokio::select! {
            () = &mut gone => break,
            () = process.mail.notified() => {
                let stop = process.lock().stop.take();
                let Some(stop) = stop.filter(|stop| stop.includes_outliving) else { continue };
                if kill_at.is_none() {
                    // They are in no terminal's foreground, but may have been stopped there.
                    signal(&leftovers, Signal::Terminate);
                    signal(&leftovers, Signal::Continue);
                }
                let at = Instant::now() + stop.grace.unwrap_or_default();
                kill_at = Some(kill_at.map_or(at, |earlier| earlier.min(at)));
            }
            () = until(kill_at) => {
                kills += 1;
                kill_at = Some(Instant::now() + KILLED_DRAIN);
                if let Err(error) = leftovers.kill() {
                    tracing::warn!(%error, "what a process left behind could not be killed");
                }
            }
        }
    }
    if kills == KILLS {
        tracing::warn!(
            pid = process.pid(),
            "what a process left behind outlives the kill"
        );
    }
    process.phase.send_replace(Phase::Closed);
}

/// Waits until nobody is left. That it cannot be looked at for a while ends nobody.
async fn gone(leftovers: &Leftovers) {
    while let Err(error) = leftovers.emptied().await {
        tracing::warn!(%error, "it is not known who is left of a process");
        sleep(LOOK_AGAIN).await;
    }
}

fn signal(leftovers: &Leftovers, signal: Signal) {
    if let Err(error) = leftovers.signal(signal) {
        tracing::warn!(%error, ?signal, "a signal could not be sent");
    }
}
