//! A child of ours by its pidfd.
use super::{
    lock::lock,
    proc::{self, Stat},
    rusage, session,
};
use crate::{exit::ExitStatus, signal::Signal, usage::Usage};
use rustix::{
    io::{Errno, retry_on_intr},
    process::{Pid, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group, pidfd_send_signal, waitid},
};
use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
    sync::Mutex,
};

/// A child of ours that leads a group and is not reaped. Dropping it kills the group and reaps.
#[derive(Debug)]
pub(super) struct Process {
    pid: Pid,
    pidfd: OwnedFd,
    reaped: Mutex<Reaped>,
}

/// Whether the pid is still ours to signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reaped {
    No,
    /// By us; or by somebody else in this program, which waits for all its children or ignores `SIGCHLD`.
    Yes,
}

impl Process {
    pub(super) fn new(pid: Pid, pidfd: OwnedFd) -> Self {
        Self {
            pid,
            pidfd,
            reaped: Mutex::new(Reaped::No),
        }
    }

    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    pub(super) fn reaped(&self) -> Reaped {
        self.look(&mut lock(&self.reaped))
    }

    /// How it ended, if it has. It stays a zombie.
    pub(super) fn status(&self) -> io::Result<Option<ExitStatus>> {
        let status = self.wait(WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG)?;
        Ok(status.and_then(|status| {
            let code = status.exit_status().map(ExitStatus::Code);
            code.or_else(|| status.terminating_signal().map(ExitStatus::Signal))
        }))
    }

    /// False if there is nobody alive left in the group.
    pub(super) fn signal_group(&self, signal: Signal) -> io::Result<bool> {
        if self.reaped() == Reaped::Yes {
            return Ok(false);
        }
        // The kernel counts a zombie as somebody.
        if self.status().is_ok_and(|status| status.is_some()) && !session::has_group(self.pid)? {
            return Ok(false);
        }
        let mut reaped = lock(&self.reaped);
        if self.look(&mut reaped) == Reaped::Yes {
            return Ok(false);
        }
        match kill_process_group(self.pid, signal.into()) {
            Ok(()) => Ok(true),
            Err(Errno::SRCH) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }

    /// False if it has exited.
    pub(super) fn signal_leader(&self, signal: Signal) -> io::Result<bool> {
        if self.reaped() == Reaped::Yes || self.status()?.is_some() {
            return Ok(false);
        }
        match pidfd_send_signal(&self.pidfd, signal.into()) {
            Ok(()) => Ok(true),
            Err(Errno::SRCH) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Reaps it if it has exited, without touching its group.
    pub(super) fn reap(&self) -> Reaped {
        let mut reaped = lock(&self.reaped);
        if let Ok(Some(_)) | Err(Errno::CHILD) = self.wait(WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {
            *reaped = Reaped::Yes;
        }
        *reaped
    }

    /// Kills the leader and its group, without needing anything that may have run out.
    pub(super) fn kill(&self) {
        let mut reaped = lock(&self.reaped);
        if self.look(&mut reaped) == Reaped::No {
            // Failing means that they are gone or run as somebody else.
            let _ = kill_process_group(self.pid, Signal::Kill.into());
            let _ = pidfd_send_signal(&self.pidfd, Signal::Kill.into());
        }
    }

    /// Kills the group and reaps, unless it was reaped already.
    pub(super) fn end(&self) {
        let mut reaped = lock(&self.reaped);
        if self.look(&mut reaped) == Reaped::Yes {
            return;
        }
        *reaped = Reaped::Yes;
        // Failing means that the group is empty or runs as somebody else: nothing more can be done here.
        let _ = kill_process_group(self.pid, Signal::Kill.into());
        let options = match pidfd_send_signal(&self.pidfd, Signal::Kill.into()) {
            Ok(()) => WaitIdOptions::EXITED,
            // A leader that became somebody else (set-user-ID) lives on, and waiting for it could take for
            // ever.
            Err(_) => WaitIdOptions::EXITED | WaitIdOptions::NOHANG,
        };
        let _ = self.wait(options);
    }

    /// What it has used, with the children that it has waited for.
    pub(super) fn usage(&self) -> Usage {
        let running = || {
            let stat = Stat::of(self.pid)?;
            Some(Usage {
                user: Some(stat.user),
                system: Some(stat.system),
                max_rss_bytes: proc::peak_rss_bytes(self.pid),
            })
        };
        if self.reaped() == Reaped::Yes {
            return Usage::default();
        }
        rusage::of_exited(self.pidfd.as_fd())
            .map(Usage::without_our_memory)
            .or_else(running)
            .unwrap_or_default()
    }

    fn look(&self, reaped: &mut Reaped) -> Reaped {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        if *reaped == Reaped::No && self.wait(options).is_err_and(|errno| errno == Errno::CHILD) {
            *reaped = Reaped::Yes;
        }
        *reaped
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

impl AsFd for Process {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}
