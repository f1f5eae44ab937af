//! A tree of one: here a leader's descendants cannot be told from others.
use super::{
    leader::{Leader, Process, exited},
    lock,
};
use crate::{exit::ExitStatus, signal::Signal, usage::Usage};
use std::{
    convert::Infallible,
    io,
    sync::{Arc, Mutex},
};
use tokio::sync::watch;

#[derive(Debug)]
pub(crate) struct Tree {
    process: Arc<Mutex<Process>>,
    exit: watch::Receiver<Option<ExitStatus>>,
}

/// There never are any.
#[derive(Debug)]
pub(crate) struct Leftovers(Infallible);

impl Tree {
    pub(super) fn new(process: Arc<Mutex<Process>>, exit: watch::Receiver<Option<ExitStatus>>) -> Self {
        Self { process, exit }
    }

    pub(crate) fn signal(&self, signal: Signal) -> io::Result<bool> {
        lock(&self.process).signal(signal)
    }

    pub(crate) fn kill(&self) -> io::Result<()> {
        lock(&self.process).kill().map(drop)
    }

    pub(crate) async fn emptied(&self) -> io::Result<()> {
        exited(self.exit.clone()).await.map(drop)
    }

    #[expect(clippy::unused_self, reason = "elsewhere it can be told")]
    pub(crate) fn ran_out_of_memory(&self) -> bool {
        false
    }

    #[expect(clippy::unused_self, reason = "elsewhere it can be told")]
    pub(crate) fn usage(&self) -> Usage {
        Usage::default()
    }

    #[expect(clippy::unused_async, reason = "elsewhere it can take time")]
    pub(crate) async fn release(self, leader: Leader) -> Option<Leftovers> {
        drop(leader);
        None
    }
}

impl Leftovers {
    pub(crate) fn signal(&self, _signal: Signal) -> io::Result<bool> {
        match self.0 {}
    }

    pub(crate) fn kill(&self) -> io::Result<()> {
        match self.0 {}
    }

    #[expect(clippy::unused_async, reason = "elsewhere it can take time")]
    pub(crate) async fn emptied(&self) -> io::Result<()> {
        match self.0 {}
    }
}
