//! Who outlives a closed process.

use pty_utils::{Leftovers, Signal};
use tokio::time::Instant;

use super::{Phase, Process};
use crate::deadline::until;
use crate::limits::KILLED_DRAIN;

/// Waits until nobody is left of a closed process, and ends them when somebody asks for it: politely, and by the kill
/// when the grace period is over.
///
/// # Cancel safety
///
/// Not cancel safe: dropping it kills them.
pub(crate) async fn look_after(process: &Process, leftovers: Leftovers) {
    let mut kill_at: Option<Instant> = None;
    let mut give_up_at = None;
    loop {
        tokio::select! {
            outcome = leftovers.emptied() => {
                if let Err(error) = outcome {
                    tracing::warn!(%error, "it is not known who is left of a process");
                }
                break;
            }
            () = process.mail.notified() => {
                let stop = process.lock().stop.take();
                let Some(stop) = stop.filter(|stop| stop.includes_outliving) else { continue };
                let at = Instant::now() + stop.grace.unwrap_or_default();
                if give_up_at.is_some() {
                    continue;
                }
                if kill_at.is_none() {
                    // They are in no terminal's foreground, but may have been stopped there.
                    signal(&leftovers, Signal::Terminate);
                    signal(&leftovers, Signal::Continue);
                }
                kill_at = Some(kill_at.map_or(at, |earlier| earlier.min(at)));
            }
            () = until(kill_at) => {
                kill_at = None;
                give_up_at = Some(Instant::now() + KILLED_DRAIN);
                if let Err(error) = leftovers.kill() {
                    tracing::warn!(%error, "what a process left behind could not be killed");
                }
            }
            () = until(give_up_at) => {
                tracing::warn!(pid = process.pid(), "what a process left behind outlives the kill");
                break;
            }
        }
    }
    process.phase.send_replace(Phase::Closed);
}

fn signal(leftovers: &Leftovers, signal: Signal) {
    if let Err(error) = leftovers.signal(signal) {
        tracing::warn!(%error, ?signal, "a signal could not be sent");
    }
}
