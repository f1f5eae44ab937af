//! A leader by its pidfd, which is readable once it has exited.
use super::{process::Process, session};
use crate::{exit::ExitStatus, signal::Signal};
use std::future::poll_fn;
use std::io;
use tokio::io::unix::AsyncFd;

#[derive(Debug)]
pub(crate) struct Leader {
    process: AsyncFd<Process>,
}

impl Leader {
    pub(super) fn new(process: AsyncFd<Process>) -> Self {
        Self { process }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.get_ref().pid().as_raw_nonzero().get().unsigned_abs()
    }

    pub(crate) async fn exited(&self) -> io::Result<ExitStatus> {
        loop {
            let mut ready = poll_fn(|cx| self.process.poll_read_ready(cx)).await?;
            if let Some(status) = self.process.get_ref().status()? {
                return Ok(status);
            }
            ready.clear_ready();
        }
    }

    pub(crate) fn signal_group(&self, signal: Signal) -> io::Result<bool> {
        self.process.get_ref().signal_group(signal)
    }

    pub(crate) fn has_followers(&self) -> io::Result<bool> {
        session::has_followers(self.process.get_ref().pid())
    }

    pub(crate) fn signal_followers(&self, signal: Signal) -> io::Result<()> {
        session::signal_followers(self.process.get_ref().pid(), signal)
    }

    pub(crate) fn reap(self) {
        self.process.into_inner().reap();
    }
}
