//! Those who have lost their supervisor, because somebody killed it, as far as they can still be reached.
use crate::{
    signal::Signal,
    sys::linux::{errno::last_errno, session},
};
use rustix::{
    io::Errno,
    process::{Pid, PidfdFlags, Signal as Number, pidfd_open, pidfd_send_signal},
};
use std::{
    ffi::{c_int, c_uint},
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    ptr,
};

/// `PIDFD_SIGNAL_PROCESS_GROUP`, since Linux 6.9: the group whose leader the descriptor is or was of.
const PROCESS_GROUP: c_uint = 1 << 2;

/// The leader of a tree, and its session. The leader is no child of ours: whoever has become its parent reaps it,
/// and when its group and its session are empty too, its pid may be the name of something else. This is never
/// touched.
#[derive(Debug)]
pub(super) struct Orphans {
    leader: Pid,
    pidfd: OwnedFd,
}

impl Orphans {
    /// To be made while the supervisor keeps the leader from being reaped.
    pub(super) fn new(leader: Pid) -> Result<Self, Errno> {
        let pidfd = pidfd_open(leader, PidfdFlags::empty())?;
        Ok(Self { leader, pidfd })
    }

    pub(super) fn leader(&self) -> Pid {
        self.leader
    }

    /// Sends a signal to everybody in the leader's session. True if anybody got it.
    pub(super) fn signal(&self, signal: Signal) -> io::Result<bool> {
        // The group last: it is what tells that the session is still the leader's.
        let others = self.signal_each(|pid| !self.is_in_group(pid) && self.is_in_session(pid), signal)?;
        Ok(self.signal_group(signal)? || others)
    }

    pub(super) fn signal_group(&self, signal: Signal) -> io::Result<bool> {
        self.signal_each(|pid| self.is_in_group(pid), signal)
    }

    /// Kills the leader alone.
    pub(super) fn kill_leader(&self) {
        // It is gone, or somebody whom we may not kill.
        let _ = pidfd_send_signal(&self.pidfd, Number::KILL);
    }

    fn signal_each(&self, is_in: impl Fn(Pid) -> bool, signal: Signal) -> io::Result<bool> {
        if !self.are_known() {
            return Ok(false);
        }
        // Who is in a session that is still the leader's after the look is one of ours.
        session::signal_each(|pid| is_in(pid) && self.are_known(), signal)
    }

    fn is_in_session(&self, pid: Pid) -> bool {
        session::is_in(self.leader, pid)
    }

    fn is_in_group(&self, pid: Pid) -> bool {
        session::is_in_group(self.leader, pid)
    }

    /// Whether the ids of group and session are still the leader's: as long as it is not reaped, and where the
    /// kernel tells, as long as somebody is in the group. No id is given away before.
    fn are_known(&self) -> bool {
        match self.ask(PROCESS_GROUP) {
            Err(Errno::INVAL) => is_there(self.ask(0)),
            answer => is_there(answer),
        }
    }

    /// Sends no signal.
    fn ask(&self, flags: c_uint) -> Result<(), Errno> {
        const NO_SIGNAL: c_int = 0;
        let pidfd = self.pidfd.as_raw_fd();
        // SAFETY: the descriptor is open, and there is no other pointer than the null, which means the usual
        // information about the sender.
        let result = unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                pidfd,
                NO_SIGNAL,
                ptr::null::<libc::siginfo_t>(),
                flags,
            )
        };
        if result == 0 { Ok(()) } else { Err(last_errno()) }
    }
}

impl AsFd for Orphans {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

/// Somebody whom we may not signal is somebody.
fn is_there(answer: Result<(), Errno>) -> bool {
    matches!(answer, Ok(()) | Err(Errno::PERM))
}
