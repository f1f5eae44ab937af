//! Everybody who descends from a leader.
use crate::{leader::Leader, signal::Signal, sys, usage::Usage};
use std::io;

/// The leader and everybody who descends from it, as far as the spawner's
/// [`Containment`](crate::Containment) holds them together.
///
/// It ends with its leader: dropping a [`Leader`] kills its tree. Dropping a tree first is allowed and makes no
/// difference; the leader's end then decides.
#[derive(Debug)]
pub struct Tree {
    members: sys::Tree,
}

impl Tree {
    pub(crate) fn new(members: sys::Tree) -> Self {
        Self { members }
    }

    /// Sends a polite signal to each living member, once; whoever is forked meanwhile may miss it. True if
    /// anybody got it. A pid that was given to somebody else meanwhile is never signalled.
    ///
    /// # Errors
    /// `EPERM` if all of them run as somebody else. When `/proc` cannot be read, or descriptors have run out.
    pub fn signal(&self, signal: Signal) -> io::Result<bool> {
        self.members.signal(signal)
    }

    /// Sends `SIGKILL` to all of them, also to those that fork meanwhile. May be called again. Returns before
    /// they are gone, for which there is [`emptied`](Self::emptied). Once somebody has killed the supervisor, it
    /// reaches what [`Containment::Supervisor`](crate::Containment::Supervisor) tells.
    ///
    /// # Errors
    /// What the system says. When descriptors have run out, a control group is not reached, and in group mode `/proc`:
    /// then the leader and its group have got the signal at least, and it has to be called again for the others.
    pub fn kill(&self) -> io::Result<()> {
        self.members.kill()
    }

    /// Waits until nobody in it is alive. A leader that has exited does not count, reaped or not.
    ///
    /// In group mode nobody tells, and it looks again and again, with pauses that grow from 10 ms to 1 s.
    ///
    /// # Errors
    /// When the runtime shuts down, descriptors have run out, or the supervisor was killed.
    ///
    /// # Cancel safety
    /// Cancel safe: it only looks.
    pub async fn emptied(&self) -> io::Result<()> {
        self.members.emptied().await
    }

    /// What it has used until now. It can be asked before and after the leader's exit.
    pub fn usage(&self) -> Usage {
        self.members.usage()
    }

    /// Whether the system has killed somebody in it for want of memory, be it that of [`TreeLimits`](crate::TreeLimits) or
    /// the machine's. Only told where its control group counts memory; else false. To be asked before it is released.
    pub fn ran_out_of_memory(&self) -> bool {
        self.members.ran_out_of_memory()
    }

    /// Reaps a leader that has exited and lets go of the tree. None if nobody else lives, and then nothing of it
    /// is left in this process or in the system; else those who live, from now on without their leader.
    ///
    /// A leader that has not exited is killed, with its tree.
    ///
    /// # Panics
    /// If `leader` is not the leader of this tree.
    ///
    /// # Cancel safety
    /// Not cancel safe: if it is dropped halfway, everybody is killed.
    pub async fn release(self, leader: Leader) -> Option<Leftovers> {
        let left = self.members.release(leader.into_inner()).await;
        left.map(|members| Leftovers { members })
    }
}

/// Those who live on when the leader's tree was [released](Tree::release). Dropping it kills them.
#[derive(Debug)]
pub struct Leftovers {
    members: sys::Leftovers,
}

impl Leftovers {
    /// As [`Tree::signal`].
    ///
    /// # Errors
    /// As [`Tree::signal`].
    pub fn signal(&self, signal: Signal) -> io::Result<bool> {
        self.members.signal(signal)
    }

    /// As [`Tree::kill`].
    ///
    /// # Errors
    /// As [`Tree::kill`].
    pub fn kill(&self) -> io::Result<()> {
        self.members.kill()
    }

    /// As [`Tree::emptied`].
    ///
    /// # Errors
    /// As [`Tree::emptied`].
    ///
    /// # Cancel safety
    /// Cancel safe: it only looks.
    pub async fn emptied(&self) -> io::Result<()> {
        self.members.emptied().await
    }
}
