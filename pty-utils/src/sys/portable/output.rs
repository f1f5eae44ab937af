//! What a thread has read.
use super::{CHUNK_BYTES, QUEUED_CHUNKS, detach, lock};
use crate::{holder::Holder, output::Read};
use std::{
    collections::VecDeque,
    future::poll_fn,
    io::{self, Read as _},
    sync::Mutex,
    task::{Poll, ready},
};
use tokio::sync::mpsc::{self, error::TryRecvError};

#[derive(Debug)]
pub(crate) struct Output {
    queue: Mutex<Queue>,
}

#[derive(Debug)]
struct Queue {
    chunks: mpsc::Receiver<io::Result<Vec<u8>>>,
    /// What was taken out of `chunks` and not yet read.
    rest: VecDeque<u8>,
}

impl Output {
    pub(super) fn new(source: impl io::Read + Send + 'static) -> io::Result<Self> {
        let (sender, chunks) = mpsc::channel(QUEUED_CHUNKS);
        detach("output", move || read_all(source, &sender))?;
        let rest = VecDeque::new();
        Ok(Self {
            queue: Mutex::new(Queue { chunks, rest }),
        })
    }

    /// Only the last one who waits is woken.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        poll_fn(|context| {
            let mut queue = lock(&self.queue);
            if queue.rest.is_empty()
                && let Some(chunk) = ready!(queue.chunks.poll_recv(context))
            {
                queue.rest.extend(chunk?);
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    pub(crate) fn try_read(&self, buf: &mut [u8]) -> io::Result<Read> {
        let mut queue = lock(&self.queue);
        if queue.rest.is_empty() {
            match queue.chunks.try_recv() {
                Ok(chunk) => queue.rest.extend(chunk?),
                Err(TryRecvError::Empty) => return Ok(Read::WouldBlock),
                Err(TryRecvError::Disconnected) => return Ok(Read::EndOfFile),
            }
        }
        queue.rest.read(buf).map(Read::Bytes)
    }

    pub(crate) fn read_now(&self, buf: &mut [u8]) -> io::Result<Read> {
        self.try_read(buf)
    }

    /// What the thread has read; the pipe itself may hold more.
    pub(crate) fn pending(&self) -> io::Result<usize> {
        let mut queue = lock(&self.queue);
        while let Ok(chunk) = queue.chunks.try_recv() {
            queue.rest.extend(chunk?);
        }
        Ok(queue.rest.len())
    }

    #[expect(clippy::unused_self, reason = "elsewhere it can be told")]
    pub(crate) fn holders(&self) -> HoldersQuery {
        HoldersQuery(())
    }
}

/// Other systems have no way to ask.
#[derive(Debug)]
pub(crate) struct HoldersQuery(());

#[expect(clippy::unused_self, reason = "elsewhere there is something to look for")]
impl HoldersQuery {
    pub(crate) fn run(self, _found: impl FnMut(Holder)) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// The end of the queue is the end of file.
fn read_all(mut source: impl io::Read, chunks: &mpsc::Sender<io::Result<Vec<u8>>>) {
    loop {
        let mut chunk = vec![0; CHUNK_BYTES];
        let read = match source.read(&mut chunk) {
            Ok(0) => return,
            Ok(count) => {
                chunk.truncate(count);
                Ok(chunk)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let failed = read.is_err();
        if chunks.blocking_send(read).is_err() || failed {
            return;
        }
    }
}
