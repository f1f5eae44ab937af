//! A leader and those who descend from it, shared by those who hold one or the other.
use super::{
    cgroup::Leaf,
    group,
    process::{Process, Reaped},
    supervisor::{Rest, Supervisor},
};
use crate::{exit::ExitStatus, signal::Signal, usage::Usage};
use rustix::process::Pid;
use std::{future::poll_fn, io, sync::Arc};
use tokio::io::unix::AsyncFd;

/// A leader and those who descend from it. Dropping it kills them, unless the leader was released and nobody is
/// left.
#[derive(Debug)]
pub(super) enum Family {
    // The leaf comes first, so that it is empty of all but the leader when that one is reaped.
    Cgroup(Leaf, AsyncFd<Process>),
    Supervised(Supervisor),
    Group(AsyncFd<Process>),
}

#[derive(Debug)]
pub(crate) struct Tree(Arc<Family>);

#[derive(Debug)]
pub(crate) struct Leftovers(Arc<Family>);

impl Tree {
    pub(super) fn new(family: Arc<Family>) -> Self {
        Self(family)
    }

    pub(crate) fn signal(&self, signal: Signal) -> io::Result<bool> {
        self.0.signal(signal)
    }

    pub(crate) fn kill(&self) -> io::Result<()> {
        self.0.kill()
    }

    pub(crate) async fn emptied(&self) -> io::Result<()> {
        self.0.emptied().await
    }

    pub(crate) fn usage(&self) -> Usage {
        self.0.usage()
    }

    pub(crate) fn ran_out_of_memory(&self) -> bool {
        match &*self.0 {
            Family::Cgroup(leaf, _) => leaf.ran_out_of_memory(),
            Family::Supervised(_) | Family::Group(_) => false,
        }
    }

    pub(crate) async fn release(self, leader: super::Leader) -> Option<Leftovers> {
        let leaders = leader.into_family();
        assert!(
            Arc::ptr_eq(&self.0, &leaders),
            "a tree is released with its own leader"
        );
        drop(leaders);
        match self.0.release().await {
            Rest::Nobody => None,
            Rest::Somebody => Some(Leftovers(self.0)),
        }
    }
}

impl Leftovers {
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<bool> {
        self.0.signal(signal)
    }

    pub(crate) fn kill(&self) -> io::Result<()> {
        self.0.kill()
    }

    pub(crate) async fn emptied(&self) -> io::Result<()> {
        self.0.emptied().await
    }
}

impl Family {
    pub(super) fn pid(&self) -> Pid {
        match self {
            Self::Cgroup(_, process) | Self::Group(process) => process.get_ref().pid(),
            Self::Supervised(supervisor) => supervisor.pid(),
        }
    }

    pub(super) async fn exited(&self) -> io::Result<ExitStatus> {
        match self {
            Self::Cgroup(_, process) | Self::Group(process) => exited(process).await,
            Self::Supervised(supervisor) => supervisor.exited().await,
        }
    }

    pub(super) fn signal_group(&self, signal: Signal) -> io::Result<bool> {
        match self {
            Self::Cgroup(_, process) | Self::Group(process) => process.get_ref().signal_group(signal),
            Self::Supervised(supervisor) => supervisor.signal_group(signal),
        }
    }

    /// Kills everybody and reaps the leader. Of a group nobody is known any more when its leader was reaped.
    pub(super) fn end(&self) {
        match self {
            Self::Cgroup(_, process) | Self::Group(process) => {
                // What is refused here cannot be done at all, or is done when the leaf is dropped.
                let _ = self.kill();
                process.get_ref().end();
            }
            Self::Supervised(supervisor) => supervisor.end(),
        }
    }

    fn signal(&self, signal: Signal) -> io::Result<bool> {
        match self {
            Self::Cgroup(leaf, _) => leaf.signal(signal),
            Self::Supervised(supervisor) => supervisor.signal(signal),
            Self::Group(process) => group::signal(process.get_ref(), signal),
        }
    }

    fn kill(&self) -> io::Result<()> {
        match self {
            // Without a descriptor to kill all of them with, as many as can be killed without one.
            Self::Cgroup(leaf, process) => leaf.kill().inspect_err(|_| process.get_ref().kill()),
            Self::Supervised(supervisor) => supervisor.kill(),
            Self::Group(process) => group::kill(process.get_ref()),
        }
    }

    async fn emptied(&self) -> io::Result<()> {
        match self {
            Self::Cgroup(leaf, _) => leaf.emptied().await,
            Self::Supervised(supervisor) => supervisor.emptied().await,
            Self::Group(process) => group::emptied(process.get_ref()).await,
        }
    }

    fn usage(&self) -> Usage {
        match self {
            Self::Cgroup(leaf, process) => {
                let (group, leader) = (leaf.usage(), process.get_ref().usage());
                Usage {
                    user: group.user.or(leader.user),
                    system: group.system.or(leader.system),
                    max_rss_bytes: leader.max_rss_bytes,
                }
            }
            Self::Supervised(supervisor) => supervisor.usage(),
            Self::Group(process) => process.get_ref().usage(),
        }
    }

    async fn release(&self) -> Rest {
        match self {
            Self::Cgroup(leaf, process) => {
                if process.get_ref().reap() == Reaped::No {
                    self.end();
                }
                if leaf.remove().await {
                    Rest::Nobody
                } else {
                    Rest::Somebody
                }
            }
            Self::Supervised(supervisor) => supervisor.release().await,
            Self::Group(process) => {
                if process.get_ref().status().is_ok_and(|status| status.is_none()) {
                    self.end();
                }
                group::release(process.get_ref())
            }
        }
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        self.end();
    }
}

async fn exited(process: &AsyncFd<Process>) -> io::Result<ExitStatus> {
    loop {
        let mut ready = poll_fn(|cx| process.poll_read_ready(cx)).await?;
        if let Some(status) = process.get_ref().status()? {
            return Ok(status);
        }
        ready.clear_ready();
    }
}
