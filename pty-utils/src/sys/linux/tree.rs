//! A leader and those who descend from it, shared by those who hold one or the other.
use super::{
    cgroup::Leaf,
    process::{Process, Reaped},
    session,
};
use crate::{exit::ExitStatus, signal::Signal, usage::Usage};
use rustix::process::Pid;
use std::{future::poll_fn, io, sync::Arc, time::Duration};
use tokio::{io::unix::AsyncFd, time::sleep};

/// The first pause between two looks at a group, of which nobody tells when it is empty; each further one is
/// twice as long, as looking means looking at every process there is.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// The longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A leader and those who descend from it. Dropping it kills them, unless the leader was released and nobody is
/// left.
#[derive(Debug)]
pub(super) enum Family {
    // The leaf comes first, so that it is empty of all but the leader when that one is reaped.
    Cgroup(Leaf, AsyncFd<Process>),
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

/// Whether anybody lives on without the leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    Nobody,
    Somebody,
}

impl Family {
    fn process(&self) -> &AsyncFd<Process> {
        match self {
            Self::Cgroup(_, process) | Self::Group(process) => process,
        }
    }

    pub(super) fn pid(&self) -> Pid {
        self.process().get_ref().pid()
    }

    pub(super) async fn exited(&self) -> io::Result<ExitStatus> {
        let process = self.process();
        loop {
            let mut ready = poll_fn(|cx| process.poll_read_ready(cx)).await?;
            if let Some(status) = process.get_ref().status()? {
                return Ok(status);
            }
            ready.clear_ready();
        }
    }

    pub(super) fn signal_group(&self, signal: Signal) -> io::Result<bool> {
        self.process().get_ref().signal_group(signal)
    }

    /// Reaps a leader that has exited. False if it has not.
    pub(super) fn reap(&self) -> Reaped {
        self.process().get_ref().reap()
    }

    /// Kills everybody and reaps the leader, unless that one was reaped already.
    pub(super) fn end(&self) {
        if self.process().get_ref().reaped() == Reaped::No {
            // What is refused here cannot be done at all.
            let _ = self.kill();
            self.process().get_ref().end();
        }
    }

    fn signal(&self, signal: Signal) -> io::Result<bool> {
        match self {
            Self::Cgroup(leaf, _) => leaf.signal(signal),
            Self::Group(process) => {
                let process = process.get_ref();
                if process.reaped() == Reaped::Yes {
                    return Ok(false);
                }
                let followers = session::signal_followers(process.pid(), signal)?;
                Ok(process.signal_leader(signal)? || followers)
            }
        }
    }

    fn kill(&self) -> io::Result<()> {
        match self {
            Self::Cgroup(leaf, _) => leaf.kill(),
            Self::Group(process) => {
                let process = process.get_ref();
                if process.reaped() == Reaped::No {
                    process.signal_group(Signal::Kill)?;
                    session::signal_followers(process.pid(), Signal::Kill)?;
                }
                Ok(())
            }
        }
    }

    async fn emptied(&self) -> io::Result<()> {
        match self {
            Self::Cgroup(leaf, _) => leaf.emptied().await,
            Self::Group(process) => {
                let process = process.get_ref();
                let mut pause = FIRST_PAUSE;
                while process.reaped() == Reaped::No
                    && (process.status()?.is_none() || session::has_followers(process.pid())?)
                {
                    sleep(pause).await;
                    pause = LONGEST_PAUSE.min(2 * pause);
                }
                Ok(())
            }
        }
    }

    fn usage(&self) -> Usage {
        match self {
            Self::Cgroup(leaf, process) => {
                let (group, leader) = (leaf.usage(), process.get_ref().usage());
                Usage {
                    user: group.user.or(leader.user),
                    system: group.system.or(leader.system),
                    max_rss_bytes: group.max_rss_bytes.or(leader.max_rss_bytes),
                }
            }
            Self::Group(process) => process.get_ref().usage(),
        }
    }

    async fn release(&self) -> Rest {
        match self {
            Self::Cgroup(leaf, _) => {
                if self.reap() == Reaped::No {
                    self.end();
                }
                if leaf.remove().await {
                    Rest::Nobody
                } else {
                    Rest::Somebody
                }
            }
            Self::Group(process) => {
                let process = process.get_ref();
                let has_exited = process.status().is_ok_and(|status| status.is_some());
                if !has_exited {
                    self.end();
                } else if session::has_followers(process.pid()).unwrap_or(false) {
                    // As a zombie the leader keeps the ids from being given to others.
                    return Rest::Somebody;
                } else {
                    self.reap();
                }
                Rest::Nobody
            }
        }
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        self.end();
    }
}
