//! A process by its pidfd.
use crate::{exit::ExitStatus, signal::Signal};
use rustix::{
    io::{Errno, retry_on_intr},
    process::{Pid, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group, pidfd_send_signal, waitid},
};
use std::{
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd, RawFd},
};

/// A child of ours that leads a group and is not reaped. Dropping it kills the group and reaps.
#[derive(Debug)]
pub(super) struct Process {
    pid: Pid,
    pidfd: OwnedFd,
    reaped: Reaped,
}

/// Whether the pid is still ours to signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reaped {
    No,
    Yes,
}

impl Process {
    pub(super) fn new(pid: Pid, pidfd: OwnedFd) -> Self {
        Self {
            pid,
            pidfd,
            reaped: Reaped::No,
        }
    }

    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// How it ended, if it has. It stays a zombie.
    pub(super) fn status(&self) -> io::Result<Option<ExitStatus>> {
        let status = self.wait(WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG)?;
        Ok(status.and_then(|status| {
            let code = status.exit_status().map(ExitStatus::Code);
            code.or_else(|| status.terminating_signal().map(ExitStatus::Signal))
        }))
    }

    /// False if there is nobody left in the group.
    pub(super) fn signal_group(&self, signal: Signal) -> io::Result<bool> {
        match kill_process_group(self.pid, signal.into()) {
            Ok(()) => Ok(true),
            Err(Errno::SRCH) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Reaps it if it has exited, without touching its group; else this is a drop.
    pub(super) fn reap(mut self) {
        if let Ok(Some(_)) = self.wait(WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {
            self.reaped = Reaped::Yes;
        }
    }

    fn wait(&self, options: WaitIdOptions) -> Result<Option<WaitIdStatus>, Errno> {
        retry_on_intr(|| waitid(WaitId::PidFd(self.pidfd.as_fd()), options))
    }
}

impl AsRawFd for Process {
    fn as_raw_fd(&self) -> RawFd {
        self.pidfd.as_raw_fd()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.reaped == Reaped::Yes {
            return;
        }
        // Failing means that the group is empty or runs as somebody else: nothing more can be done here.
        let _ = self.signal_group(Signal::Kill);
        let options = match pidfd_send_signal(&self.pidfd, Signal::Kill.into()) {
            Ok(()) => WaitIdOptions::EXITED,
            // A leader that became somebody else (set-user-ID) lives on, and waiting for it could take for
            // ever.
            Err(_) => WaitIdOptions::EXITED | WaitIdOptions::NOHANG,
        };
        let _ = self.wait(options);
    }
}
