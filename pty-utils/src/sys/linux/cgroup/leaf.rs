//! The control group of one child.
use super::{
    Groups,
    directory::{Directory, is_populated},
    mount::is_within,
};
use crate::{
    restrictions::TreeLimits,
    signal::Signal,
    sys::linux::{members, proc, register::register},
    usage::Usage,
};
use rustix::fs::{Mode, OFlags, open};
use std::{
    ffi::OsString,
    fs, io,
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::io::Interest;

/// How long dropping a leaf waits for those it has killed: some milliseconds is what a thousand of them take.
/// Whoever takes longer is left to the next spawn.
const DEATH: Duration = Duration::from_millis(50);

/// The control group of one child, removed when nobody is left. Dropping it kills who is.
#[derive(Debug)]
pub(in crate::sys::linux) struct Leaf {
    groups: Arc<Groups>,
    directory: Directory,
    /// As in `/proc/PID/cgroup`.
    name: OsString,
    is_removed: AtomicBool,
}

impl Leaf {
    pub(super) fn new(groups: Arc<Groups>, directory: Directory, name: OsString) -> Self {
        Self {
            groups,
            directory,
            name,
            is_removed: AtomicBool::new(false),
        }
    }

    /// Its directory, to create a process in.
    pub(in crate::sys::linux) fn open(&self) -> io::Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(open(self.directory.path(), flags, Mode::empty())?)
    }

    /// Bounds what its members use together, before there are any.
    pub(in crate::sys::linux) fn limit(&self, limits: TreeLimits) -> io::Result<()> {
        if limits == TreeLimits::default() {
            return Ok(());
        }
        // Only when it is needed: a controller costs each group more than all the rest.
        self.groups.directory.pass_on(limits.needs())?;
        self.directory.limit(limits)
    }

    /// Whether the kernel has killed a member for want of memory. False also if that is not counted here.
    pub(in crate::sys::linux) fn ran_out_of_memory(&self) -> bool {
        self.directory.oom_kills().is_ok_and(|kills| kills > 0)
    }

    pub(in crate::sys::linux) fn signal(&self, signal: Signal) -> io::Result<bool> {
        let is_member = |pid| {
            let cgroups = fs::read(format!("/proc/{pid}/cgroup")).unwrap_or_default();
            is_within(&cgroups, self.name.as_bytes()) && proc::is_alive(pid)
        };
        members::signal(self.directory.members()?, is_member, signal)
    }

    pub(in crate::sys::linux) fn kill(&self) -> io::Result<()> {
        if self.is_removed.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.directory.kill()
    }

    /// # Errors
    /// If this kernel cannot kill by group.
    pub(super) fn require_kill(&self) -> io::Result<()> {
        self.directory.write_kill()
    }

    pub(in crate::sys::linux) async fn emptied(&self) -> io::Result<()> {
        let Some(events) = self.directory.events()? else {
            return Ok(());
        };
        let wakes = register(events.try_clone()?.into(), Interest::PRIORITY)?;
        // A change that comes after a look wakes the wait that follows.
        while is_populated(&events)? {
            wakes.ready(Interest::PRIORITY).await?.clear_ready();
        }
        Ok(())
    }

    /// Removes the group. False if somebody lives in it.
    pub(in crate::sys::linux) async fn remove(&self) -> bool {
        let is_removed = self.try_remove().await;
        self.is_removed.store(is_removed, Ordering::Relaxed);
        is_removed
    }

    async fn try_remove(&self) -> bool {
        if let Ok(true) = self.directory.remove() {
            return true;
        }
        // Who has exited is counted for a moment longer by some kernels, but not listed.
        if self.directory.members().is_ok_and(|members| members.is_empty()) {
            let _ = tokio::time::timeout(DEATH, self.emptied()).await;
            return self.directory.remove().unwrap_or(false);
        }
        false
    }

    /// What the whole group has used but memory: that takes a controller, which costs each group more than all the rest.
    pub(in crate::sys::linux) fn usage(&self) -> Usage {
        let cpu = fs::read_to_string(self.directory.path().join("cpu.stat")).unwrap_or_default();
        let time = |name: &str| {
            let mut fields = cpu.lines().filter_map(|line| line.split_once(' '));
            let (_, micros) = fields.find(|(field, _)| *field == name)?;
            micros.parse().ok().map(Duration::from_micros)
        };
        Usage {
            user: time("user_usec"),
            system: time("system_usec"),
            max_rss_bytes: None,
        }
    }
}

impl Drop for Leaf {
    fn drop(&mut self) {
        if self.is_removed.load(Ordering::Relaxed) || matches!(self.directory.remove(), Ok(true)) {
            return;
        }
        // Whatever is refused here, the kill too, is tried again by the groups.
        let _ = self.directory.kill();
        if !self.directory.remove_within(DEATH).unwrap_or(false) {
            self.groups.remove_later(self.directory.clone());
        }
    }
}
