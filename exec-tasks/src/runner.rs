//! What runs attempts: the process layer, as tasks see it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use exec_protocol::process::{EndReason, StartParams, Stream};
use exec_protocol::{RpcError, Seq, Uid};

/// Starts processes.
#[async_trait]
pub trait Runner: fmt::Debug + Send + Sync + 'static {
    /// Starts a process whose output is kept until it was taken by [`Running::take`].
    ///
    /// # Errors
    ///
    /// As those of `process/start`; nothing runs then.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the process may run, and nobody would have it.
    async fn start(&self, params: StartParams) -> Result<Arc<dyn Running>, RpcError>;
}

/// A process of a task.
#[async_trait]
pub trait Running: fmt::Debug + Send + Sync + 'static {
    /// Its name on the server.
    fn uid(&self) -> Uid;

    /// The leader's pid.
    fn pid(&self) -> u32;

    /// Waits for output that was not taken yet. False if there is none, and none will come.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    async fn has_output(&self) -> bool;

    /// Takes output that was not taken yet, as far as `batch` is to hold, in front of which it is empty. Called by one thread at a
    /// time, any of them.
    ///
    /// What is not taken holds the process up, as a slow client does.
    fn take(&self, batch: &mut Batch);

    /// How it ended, once [`has_output`](Self::has_output) has said that none will come.
    fn end(&self) -> End;

    /// Asks it to end. The first reason stands, and the shortest time. With no time given, its own is taken.
    fn stop(&self, reason: EndReason, asked_by: Option<&str>, grace: Option<Duration>);

    /// Ends whoever it left behind, and forgets it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe; it is done in the first poll, and waited for in the rest.
    async fn release(&self);
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The code, or 128+n for signal n.
    pub exit_code: i32,
    /// The name of the signal that ended it.
    pub signal: Option<String>,
    /// Why.
    pub reason: EndReason,
    /// The client that asked for it.
    pub ended_by: Option<String>,
    /// When its leader ended, in Unix milliseconds.
    pub at_ms: u64,
    /// Why output could not be read to its end.
    pub unread: Option<String>,
}

/// Output, in its order: `bytes` are the chunks, one behind the other.
#[derive(Default)]
pub struct Batch {
    /// What was written.
    pub bytes: Vec<u8>,
    /// Whose bytes they are.
    pub chunks: Vec<Chunk>,
}

impl Batch {
    /// How much a batch is to hold, in bytes. The process cannot be read while so much is copied, some 20 µs.
    pub const FULL: usize = 256 << 10;

    /// Appends a chunk.
    pub fn push(&mut self, seq: Seq, stream: Stream, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.chunks.push(Chunk {
            seq,
            stream,
            bytes: bytes.len(),
        });
    }

    /// The chunks with their bytes. What has no bytes is left out.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = (Chunk, &[u8])> {
        let mut rest = self.bytes.as_slice();
        self.chunks.iter().filter_map(move |&chunk| {
            let (bytes, behind) = rest.split_at(chunk.bytes.min(rest.len()));
            rest = behind;
            (!bytes.is_empty()).then_some((chunk, bytes))
        })
    }

    /// The bytes of its chunks.
    pub(crate) fn output(&self) -> &[u8] {
        let length: usize = self.chunks.iter().map(|chunk| chunk.bytes).sum();
        &self.bytes[..length.min(self.bytes.len())]
    }

    /// Empties it, to be filled again.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.chunks.clear();
    }
}

impl fmt::Debug for Batch {
    // What a process says must not end up in a log by way of `{:?}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Batch({} bytes)", self.bytes.len())
    }
}

/// Some bytes that a process wrote to one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// Its number among the events of its process.
    pub seq: Seq,
    /// Where it was written to.
    pub stream: Stream,
    /// How many bytes there are.
    pub bytes: usize,
}
