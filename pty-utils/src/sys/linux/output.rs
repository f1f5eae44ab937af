//! Our end of an output, not blocking.
use super::{holders::HoldersQuery, pipe::Growth};
use crate::output::Read;
use rustix::io::{Errno, ioctl_fionread, read, retry_on_intr};
use std::{future::poll_fn, io, os::fd::OwnedFd, sync::Arc};
use tokio::io::{Interest, unix::AsyncFd};

#[derive(Debug)]
pub(crate) struct Output {
    source: Arc<AsyncFd<OwnedFd>>,
    /// Of a pipe; a terminal does not grow.
    growth: Option<Growth>,
}

impl Output {
    pub(super) fn pipe(source: Arc<AsyncFd<OwnedFd>>) -> Self {
        Self {
            source,
            growth: Some(Growth::new()),
        }
    }

    pub(super) fn terminal(source: Arc<AsyncFd<OwnedFd>>) -> Self {
        Self { source, growth: None }
    }

    pub(crate) async fn readable(&self) -> io::Result<()> {
        // The one waker of the descriptor, in place of a list of those who wait: this is done for every line of output.
        poll_fn(|cx| self.source.poll_read_ready(cx)).await.map(drop)
    }

    pub(crate) fn try_read(&self, buf: &mut [u8]) -> io::Result<Read> {
        let mut hung_up = false;
        let read = self.source.try_io(Interest::READABLE, |source| {
            let read = self.read_once(source, buf)?;
            // Nothing will come until somebody opens the terminal again, so it counts as not ready. A short read does
            // not: a pipe may hold more behind a packet, and a terminal behind what a read sees of its queue.
            if read == 0 {
                hung_up = true;
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(read)
        });
        let read = if hung_up { Ok(0) } else { read };
        if let (Ok(count), Some(growth)) = (&read, &self.growth) {
            growth.after_read(&*self.source, *count);
        }
        outcome(read)
    }

    pub(crate) fn read_now(&self, buf: &mut [u8]) -> io::Result<Read> {
        outcome(self.read_once(self.source.get_ref(), buf))
    }

    /// Zero is the end of file.
    fn read_once(&self, source: &OwnedFd, buf: &mut [u8]) -> io::Result<usize> {
        match retry_on_intr(|| read(source, &mut *buf)) {
            Ok(count) => Ok(count),
            // A master says so when the last holder of the slave has closed it. A pipe has no such end: it has failed.
            Err(Errno::IO) if self.growth.is_none() => Ok(0),
            Err(errno) => Err(errno.into()),
        }
    }

    pub(crate) fn pending(&self) -> io::Result<usize> {
        let bytes = ioctl_fionread(&*self.source)?;
        Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    pub(crate) fn holders(&self) -> HoldersQuery {
        match self.growth {
            Some(_) => HoldersQuery::of_pipe(&*self.source),
            None => HoldersQuery::of_terminal(&*self.source),
        }
    }
}

fn outcome(read: io::Result<usize>) -> io::Result<Read> {
    match read {
        Ok(0) => Ok(Read::EndOfFile),
        Ok(count) => Ok(Read::Bytes(count)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Read::WouldBlock),
        Err(error) => Err(error),
    }
}
