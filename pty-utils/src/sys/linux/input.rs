//! Our end of a standard input, not blocking.
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::{retry_on_intr, write},
};
use std::{future::poll_fn, io, os::fd::OwnedFd, sync::Arc};
use tokio::io::{Interest, unix::AsyncFd};

#[derive(Debug)]
pub(crate) struct Input {
    sink: Arc<AsyncFd<OwnedFd>>,
}

impl Input {
    pub(super) fn new(sink: Arc<AsyncFd<OwnedFd>>) -> Self {
        Self { sink }
    }

    pub(crate) async fn writable(&self) -> io::Result<()> {
        poll_fn(|cx| self.sink.poll_write_ready(cx)).await.map(drop)
    }

    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
        let written = self.sink.try_io(Interest::WRITABLE, |sink| {
            Ok(retry_on_intr(|| write(sink, bytes))?)
        });
        match written {
            Ok(count) => Ok(Some(count)),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            // A full terminal whose last holder is gone says that it would block, and yet counts as writable:
            // waiting for it would never wait.
            Err(_) if self.is_hung_up()? => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Ok(None),
        }
    }

    fn is_hung_up(&self) -> io::Result<bool> {
        let mut state = [PollFd::new(&*self.sink, PollFlags::empty())];
        retry_on_intr(|| poll(&mut state, Some(&Timespec::default())))?;
        Ok(state[0].revents().contains(PollFlags::HUP))
    }
}
