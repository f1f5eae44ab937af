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
    Ok(proc::all()?.any(|pid| is_follower(leader, pid)))
}

/// Whether somebody alive is in the group that `leader` leads, or led.
pub(super) fn has_group(leader: Pid) -> io::Result<bool> {
    Ok(proc::all()?.any(|pid| is_in_group(leader, pid)))
}

/// Sends a signal to everybody in the session but its leader. For `Kill` again, until nobody is left. True if
/// anybody got it. Whoever runs as somebody else is passed over.
pub(super) fn signal_followers(leader: Pid, signal: Signal) -> io::Result<bool> {
    signal_each(|pid| is_follower(leader, pid), signal)
}

/// The same for whoever is a member of something.
pub(super) fn signal_each(is_member: impl Fn(Pid) -> bool, signal: Signal) -> io::Result<bool> {
    let rounds = if signal == Signal::Kill { ROUNDS } else { 1 };
    let mut reached = false;
    for _ in 0..rounds {
        let listed: Vec<_> = proc::all()?.filter(|&pid| is_member(pid)).collect();
        if listed.is_empty() {
            break;
        }
        match members::signal(listed, &is_member, signal) {
            Ok(somebody) => reached |= somebody,
            Err(error) if error.raw_os_error() == Some(Errno::PERM.raw_os_error()) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(reached)
}

/// Whether somebody alive is in the session that `leader` leads, or led.
pub(super) fn is_in(leader: Pid, pid: Pid) -> bool {
    is_alive_and(pid, |stat| stat.session == leader.as_raw_nonzero().get())
}

/// The same for the group.
pub(super) fn is_in_group(leader: Pid, pid: Pid) -> bool {
    is_alive_and(pid, |stat| stat.group == leader.as_raw_nonzero().get())
}

fn is_follower(leader: Pid, pid: Pid) -> bool {
    pid != leader && is_in(leader, pid)
}

fn is_alive_and(pid: Pid, is_in: impl Fn(&Stat) -> bool) -> bool {
    Stat::of(pid).is_some_and(|stat| stat.life == Life::Alive && is_in(&stat))
}
