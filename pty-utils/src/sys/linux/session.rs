//! Who is in a session beside its leader, and who is alive in a group.
//!
//! The system has no question for this, so every process of `/proc` is looked at.
use super::{
    members,
    proc::{self, Life, Stat},
};
use crate::signal::Signal;
use rustix::{io::Errno, process::Pid};
use std::io;

/// How often a session is gone through before it is left as it is: who forks while it is gone through can
/// leave a child behind that was not seen.
const ROUNDS: usize = 8;

/// Whether somebody alive beside its leader is in the session that `leader` leads.
pub(super) fn has_followers(leader: Pid) -> io::Result<bool> {
    Ok(followers(leader)?.next().is_some())
}

/// Whether somebody alive is in the group that `leader` leads, or led.
pub(super) fn has_group(leader: Pid) -> io::Result<bool> {
    let id = leader.as_raw_nonzero().get();
    let is_in = |stat: Stat| stat.life == Life::Alive && stat.group == id;
    Ok(proc::all()?.any(|pid| Stat::of(pid).is_some_and(is_in)))
}

/// Sends a signal to everybody in the session but its leader. For `Kill` again, until nobody is left. True if
/// anybody got it. Whoever runs as somebody else is passed over.
pub(super) fn signal_followers(leader: Pid, signal: Signal) -> io::Result<bool> {
    let rounds = if signal == Signal::Kill { ROUNDS } else { 1 };
    let mut reached = false;
    for _ in 0..rounds {
        let followers: Vec<_> = followers(leader)?.collect();
        if followers.is_empty() {
            break;
        }
        match members::signal(followers, |pid| is_follower(leader, pid), signal) {
            Ok(somebody) => reached |= somebody,
            Err(error) if error.raw_os_error() == Some(Errno::PERM.raw_os_error()) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(reached)
}

fn followers(leader: Pid) -> io::Result<impl Iterator<Item = Pid>> {
    Ok(proc::all()?.filter(move |&pid| is_follower(leader, pid)))
}

fn is_follower(leader: Pid, pid: Pid) -> bool {
    let id = leader.as_raw_nonzero().get();
    let is_in = |stat: Stat| stat.life == Life::Alive && stat.session == id;
    pid != leader && Stat::of(pid).is_some_and(is_in)
}
