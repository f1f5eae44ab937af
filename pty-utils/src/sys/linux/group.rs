//! A tree without containment: the leader, and who is in its session.
use super::{
    process::{Process, Reaped},
    session,
    supervisor::Rest,
};
use crate::signal::Signal;
use std::{io, time::Duration};
use tokio::time::sleep;

/// The first pause between two looks at a session, of which nobody tells when it is empty; each further one is
/// twice as long, as looking means looking at every process there is.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// The longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// True if anybody got it.
pub(super) fn signal(leader: &Process, signal: Signal) -> io::Result<bool> {
    if leader.reaped() == Reaped::Yes {
        return Ok(false);
    }
    let followers = session::signal_followers(leader.pid(), signal)?;
    Ok(leader.signal_leader(signal)? || followers)
}

pub(super) fn kill(leader: &Process) -> io::Result<()> {
    if leader.reaped() == Reaped::No {
        let killed = leader.signal_group(Signal::Kill);
        // Of a leader that has exited, the group is not looked for in `/proc` if that cannot be.
        killed.inspect_err(|_| leader.kill())?;
        session::signal_followers(leader.pid(), Signal::Kill)?;
    }
    Ok(())
}

pub(super) async fn emptied(leader: &Process) -> io::Result<()> {
    let mut pause = FIRST_PAUSE;
    // Without its leader a session's id may be somebody else's.
    while leader.reaped() == Reaped::No
        && (leader.status()?.is_none() || session::has_followers(leader.pid())?)
    {
        sleep(pause).await;
        pause = LONGEST_PAUSE.min(2 * pause);
    }
    Ok(())
}

/// Reaps a leader that has exited, if nobody is left.
pub(super) fn release(leader: &Process) -> Rest {
    if leader.reaped() == Reaped::No && session::has_followers(leader.pid()).unwrap_or(false) {
        // As a zombie the leader keeps the ids from being given to others.
        return Rest::Somebody;
    }
    leader.reap();
    Rest::Nobody
}
