//! Connections within a program, for tests and for those who embed both sides.

use std::io;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc;

use super::{Batch, CloseReason, Connection, MessageSink, MessageSource, Received};
use crate::limits::MAX_MESSAGE_BYTES;

/// Messages on their way in each direction. A full queue makes the sender wait.
const QUEUE_MESSAGES: usize = 64;

/// The client's end of a connection in memory: each item is one message.
#[derive(Debug)]
pub struct MemoryPeer {
    /// To the server.
    pub outgoing: mpsc::Sender<Bytes>,
    /// From the server.
    pub incoming: mpsc::Receiver<Bytes>,
}

impl Connection {
    /// Two ends that are connected to each other.
    pub fn memory() -> (Self, MemoryPeer) {
        let (outgoing, requests) = mpsc::channel(QUEUE_MESSAGES);
        let (answers, incoming) = mpsc::channel(QUEUE_MESSAGES);
        (
            Self::new(Requests(requests), Answers(answers)),
            MemoryPeer { outgoing, incoming },
        )
    }
}

struct Requests(mpsc::Receiver<Bytes>);

#[async_trait]
impl MessageSource for Requests {
    async fn next(&mut self) -> Received {
        match self.0.recv().await {
            Some(message) if message.len() > MAX_MESSAGE_BYTES => Received::too_long(),
            Some(message) => Received::Message(message),
            None => Received::Gone(CloseReason::Done),
        }
    }
}

struct Answers(mpsc::Sender<Bytes>);

#[async_trait]
impl MessageSink for Answers {
    async fn send(&mut self, batch: &mut Batch) -> io::Result<()> {
        for message in batch.messages() {
            let message = Bytes::copy_from_slice(message);
            self.0
                .send(message)
                .await
                .map_err(|_| io::ErrorKind::BrokenPipe)?;
        }
        Ok(())
    }

    async fn close(&mut self, _reason: CloseReason) {
        // The peer sees the end of the queue when this is dropped.
    }
}
