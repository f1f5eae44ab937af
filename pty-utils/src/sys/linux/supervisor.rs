//! A process above each child that inherits its orphans: the server's side.
mod message;
mod orphans;
mod spawn;

pub(super) use message::{REPORT_BYTES, Report, Request, Rest};
pub(super) use spawn::spawn;

use super::{
    descendants::{self, descendants},
    helper::Process,
    proc::{self, Stat},
    register::register,
    session,
};
use crate::{exit::ExitStatus, signal::Signal, usage::Usage};
use orphans::Orphans;
use rustix::{
    io::{Errno, retry_on_intr},
    net::{RecvFlags, SendFlags, Shutdown, recv, send, shutdown},
    process::{Pid, kill_process_group},
};
use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::Duration,
};
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::watch,
    time::timeout,
};

/// How long a supervisor may take to answer: a thousand times what it takes. Nobody waits longer for one that
/// somebody has stopped.
const PATIENCE: Duration = Duration::from_secs(1);

/// A supervisor and a leader that the runtime does not know yet. Dropping it kills the tree.
#[derive(Debug)]
pub(super) struct Born {
    // Closed first, which makes the supervisor kill everybody and exit.
    socket: OwnedFd,
    process: Process,
    orphans: Orphans,
}

/// A supervisor, and what it has told. Dropping it kills the tree, unless nobody is left.
#[derive(Debug)]
pub(super) struct Supervisor {
    // Closed first, as above.
    socket: AsyncFd<OwnedFd>,
    process: Process,
    orphans: Orphans,
    told: watch::Sender<Told>,
}

/// What a supervisor has told so far.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    exit: Option<(ExitStatus, Usage)>,
    is_empty: bool,
    released: Option<Rest>,
    /// Nothing more will be told.
    is_over: bool,
}

impl Born {
    pub(super) fn register(self) -> io::Result<Supervisor> {
        Ok(Supervisor {
            socket: register(self.socket, Interest::READABLE)?,
            process: self.process,
            orphans: self.orphans,
            told: watch::Sender::default(),
        })
    }
}

impl Supervisor {
    pub(super) fn pid(&self) -> Pid {
        self.orphans.leader()
    }

    pub(super) async fn exited(&self) -> io::Result<ExitStatus> {
        match self.until_told(|told| told.exit.map(|(status, _)| status)).await {
            Err(_) if self.has_died().await? => Ok(ExitStatus::Signal(libc::SIGKILL)),
            told => told,
        }
    }

    /// False if there is nobody alive left in the group.
    pub(super) fn signal_group(&self, signal: Signal) -> io::Result<bool> {
        if !self.process.is_alive() {
            return self.orphans.signal_group(signal);
        }
        // The kernel counts a zombie as somebody.
        if !proc::is_alive(self.pid()) && !session::has_group(self.pid())? {
            return Ok(false);
        }
        if !self.holds_leader() {
            return Ok(false);
        }
        match kill_process_group(self.pid(), signal.into()) {
            Ok(()) => Ok(true),
            Err(Errno::SRCH) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }

    pub(super) fn signal(&self, signal: Signal) -> io::Result<bool> {
        if !self.process.is_alive() {
            return self.orphans.signal(signal);
        }
        // As long as it is not reaped, its pid is its own.
        descendants::signal(self.process.pid(), signal)
    }

    pub(super) fn kill(&self) -> io::Result<()> {
        if !self.process.is_alive() {
            return self.orphans.signal(Signal::Kill).map(drop);
        }
        self.process.go_on();
        self.ask(Request::Kill)
    }

    pub(super) async fn emptied(&self) -> io::Result<()> {
        self.until_told(|told| told.is_empty.then_some(())).await
    }

    /// Reaps a leader that has exited; who else lives goes on. Kills everybody if it has not, or if the
    /// supervisor does not answer.
    pub(super) async fn release(&self) -> Rest {
        if proc::is_alive(self.pid()) || self.ask(Request::Release).is_err() {
            self.end();
            return Rest::Nobody;
        }
        match timeout(PATIENCE, self.until_told(|told| told.released)).await {
            Ok(Ok(Rest::Somebody)) => return Rest::Somebody,
            // It closes its socket when it exits.
            Ok(Ok(Rest::Nobody)) => {
                let over = self.until_told(|told| told.is_over.then_some(()));
                if let Ok(Ok(())) = timeout(PATIENCE, over).await {
                    self.process.wait_for_exit();
                    return Rest::Nobody;
                }
            }
            Ok(Err(_)) | Err(_) => {}
        }
        self.end();
        Rest::Nobody
    }

    /// Kills everybody, reaps the leader unless that was done before, and waits on this thread for it.
    pub(super) fn end(&self) {
        // To the supervisor this is our end.
        let _ = shutdown(&self.socket, Shutdown::Write);
        self.process.wait_for_exit();
        self.listen();
        if !self.told.borrow().is_empty && !self.process.is_alive() {
            // What is refused here cannot be done at all.
            let _ = self.orphans.signal(Signal::Kill);
        }
    }

    /// What the tree has used: those who were waited for count with the one who waited.
    pub(super) fn usage(&self) -> Usage {
        let told = self.listen();
        let supervisor = self.process.pid();
        let Some(reaped) = Stat::of(supervisor).map(|stat| stat.childrens) else {
            return told
                .exit
                .map(|(_, usage)| usage.without_our_memory())
                .unwrap_or_default();
        };
        let [mut user, mut system] = reaped;
        let mut max_rss_bytes = None;
        for pid in descendants(supervisor).unwrap_or_default() {
            // The leader has told it more precisely.
            let is_known = pid == self.pid() && told.exit.is_some();
            if let Some(stat) = Stat::of(pid).filter(|_| !is_known) {
                user += stat.user;
                system += stat.system;
                max_rss_bytes = max_rss_bytes.max(proc::peak_rss_bytes(pid));
            }
        }
        if let (Some((_, leader)), None) = (told.exit, told.released) {
            user += leader.user.unwrap_or_default();
            system += leader.system.unwrap_or_default();
            max_rss_bytes = max_rss_bytes.max(leader.without_our_memory().max_rss_bytes);
        }
        Usage {
            user: Some(user),
            system: Some(system),
            max_rss_bytes,
        }
    }

    /// Whether the leader's pid is still its own: it stays so until its supervisor reaps it or dies.
    fn holds_leader(&self) -> bool {
        let told = self.listen();
        told.released.is_none() && !told.is_over && self.process.is_alive()
    }

    /// Whether somebody killed the supervisor, and the leader with it, whose death signal that is.
    async fn has_died(&self) -> io::Result<bool> {
        if !self.told.borrow().is_over || !is_gone(self.process.as_fd()).await? {
            return Ok(false);
        }
        // A leader can refuse to get the death signal.
        self.orphans.kill_leader();
        is_gone(self.orphans.as_fd()).await
    }

    /// A supervisor that is gone has no more to do.
    fn ask(&self, request: Request) -> io::Result<()> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        match retry_on_intr(|| send(&self.socket, &[request.byte()], flags)) {
            Ok(_) | Err(Errno::PIPE | Errno::CONNRESET) => Ok(()),
            // So many requests are waiting that this one is among them.
            Err(Errno::AGAIN) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Waits until something was told. An error if it never will be.
    async fn until_told<T>(&self, look: impl Fn(Told) -> Option<T>) -> io::Result<T> {
        let mut changes = self.told.subscribe();
        loop {
            let told = *changes.borrow_and_update();
            if let Some(found) = look(told) {
                return Ok(found);
            }
            if told.is_over {
                return Err(Errno::CHILD.into());
            }
            // Several may wait, and whoever reads tells the others.
            tokio::select! {
                _ = changes.changed() => {}
                ready = self.socket.readable() => {
                    let mut ready = ready?;
                    if !self.listen().is_over {
                        ready.clear_ready();
                    }
                }
            }
        }
    }

    /// Reads what was told, without waiting.
    fn listen(&self) -> Told {
        loop {
            let mut bytes = [0; REPORT_BYTES];
            let received = retry_on_intr(|| recv(&self.socket, &mut bytes, RecvFlags::DONTWAIT));
            let report = match received {
                Err(Errno::AGAIN) => return *self.told.borrow(),
                Ok((1.., _)) => Report::from_bytes(&bytes),
                Ok((0, _)) | Err(_) => None,
            };
            self.told.send_if_modified(|told| {
                match report {
                    Some(Report::Exited(status, usage)) => told.exit = Some((status, usage)),
                    Some(Report::Empty) => told.is_empty = true,
                    Some(Report::Released(rest)) => told.released = Some(rest),
                    None if told.is_over => return false,
                    None => told.is_over = true,
                }
                true
            });
            if report.is_none() {
                return *self.told.borrow();
            }
        }
    }
}

/// Whether a process is gone, soon.
async fn is_gone(pidfd: BorrowedFd<'_>) -> io::Result<bool> {
    let pidfd = register(pidfd.try_clone_to_owned()?, Interest::READABLE)?;
    Ok(timeout(PATIENCE, pidfd.readable())
        .await
        .is_ok_and(|gone| gone.is_ok()))
}
