//! Signals to processes that are not our children, and whose pids may be given to others at any time.
use crate::signal::Signal;
use rustix::{
    io::Errno,
    process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal},
};
use std::io;

/// Sends a signal to each of `pids` that is a member. True if anybody got it.
///
/// The descriptor holds on to the process, so that what `is_member` looks at is what gets the signal, even if
/// its pid was given to another one since it was listed.
///
/// # Errors
/// `EPERM` if all of them run as somebody else; what `pidfd_open` says.
pub(super) fn signal(
    pids: impl IntoIterator<Item = Pid>,
    is_member: impl Fn(Pid) -> bool,
    signal: Signal,
) -> io::Result<bool> {
    let mut reached = false;
    let mut refused = Ok(());
    for pid in pids {
        let sent = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(process) if is_member(pid) => pidfd_send_signal(process, signal.into()),
            Ok(_) => continue,
            Err(errno) => Err(errno),
        };
        match sent {
            Ok(()) => reached = true,
            Err(Errno::SRCH) => {}
            Err(Errno::PERM) => refused = Err(Errno::PERM),
            Err(errno) => return Err(errno.into()),
        }
    }
    if !reached {
        refused?;
    }
    Ok(reached)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Child, Command};

    fn sleeper() -> (Child, Pid) {
        let child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = Pid::from_child(&child);
        (child, pid)
    }

    #[test]
    fn who_is_no_member_any_more_is_not_signalled() {
        let (mut member, members_pid) = sleeper();
        let (mut stranger, strangers_pid) = sleeper();
        let listed = [strangers_pid, members_pid];
        assert!(signal(listed, |pid| pid == members_pid, Signal::Kill).unwrap());
        member.wait().unwrap();
        assert!(stranger.try_wait().unwrap().is_none());
        assert!(!signal(listed, |pid| pid == members_pid, Signal::Kill).unwrap());
        stranger.kill().unwrap();
        stranger.wait().unwrap();
    }
}
