//! What a thread is to write.
use super::{CHUNK_BYTES, QUEUED_CHUNKS, detach};
use std::io;
use tokio::sync::mpsc::{self, error::TrySendError};

#[derive(Debug)]
pub(crate) struct Input {
    chunks: mpsc::Sender<Vec<u8>>,
}

impl Input {
    /// `write_all` is dropped after the last chunk.
    pub(super) fn new(
        mut write_all: impl FnMut(&[u8]) -> io::Result<()> + Send + 'static,
    ) -> io::Result<Self> {
        let (chunks, mut queue) = mpsc::channel::<Vec<u8>>(QUEUED_CHUNKS);
        detach("input", move || {
            while let Some(chunk) = queue.blocking_recv()
                && write_all(&chunk).is_ok()
            {}
        })?;
        Ok(Self { chunks })
    }

    pub(crate) async fn writable(&self) -> io::Result<()> {
        // If the thread has given up, it is for the write to say so.
        drop(self.chunks.reserve().await);
        Ok(())
    }

    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
        let count = bytes.len().min(CHUNK_BYTES);
        match self.chunks.try_send(bytes[..count].to_vec()) {
            Ok(()) => Ok(Some(count)),
            Err(TrySendError::Full(_)) => Ok(None),
            Err(TrySendError::Closed(_)) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}
