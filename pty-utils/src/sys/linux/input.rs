//! Our end of a standard input, not blocking.
use rustix::io::{retry_on_intr, write};
use std::{io, os::fd::OwnedFd, sync::Arc};
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
        self.sink.writable().await.map(drop)
    }

    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
        let written = self.sink.try_io(Interest::WRITABLE, |sink| {
            Ok(retry_on_intr(|| write(sink, bytes))?)
        });
        match written {
            Ok(count) => Ok(Some(count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }
}
