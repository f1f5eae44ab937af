//! Chunks whose bytes lie behind each other.

use std::mem::size_of;

use exec_protocol::Seq;
use exec_protocol::process::Stream;

use super::index::Index;
use super::{Cursor, Entry};

/// Longest segment, and so the longest chunk, in bytes of payload: one full read of a pipe.
pub(crate) const SEGMENT_BYTES: usize = 64 << 10;

/// Bytes of payload for each chunk that a segment may hold.
///
/// Segments of one-byte chunks must not become much larger than others, or evicting one would
/// throw away far more than needed: with four bytes of index for each, it is a quarter of the payload.
const BYTES_PER_CHUNK: usize = 16;

/// First allocation for a segment's payload, in bytes: an idle shell prints a prompt, not 64 KiB.
const FIRST_ALLOCATION_BYTES: usize = 512;

/// A run of chunks with consecutive numbers.
#[derive(Debug)]
pub(super) struct Segment {
    index: Index,
    payload: Vec<u8>,
}

impl Segment {
    /// A segment for what follows `start`, of which so many bytes are expected soon.
    pub(super) fn new(start: Cursor, expected: usize) -> Self {
        Self {
            index: Index::new(start),
            payload: Vec::with_capacity(expected.max(FIRST_ALLOCATION_BYTES)),
        }
    }

    /// A segment that is one chunk.
    pub(super) fn whole(start: Cursor, stream: Stream, payload: Vec<u8>) -> Self {
        let mut index = Index::new(start);
        index.start(stream);
        index.extend_to(payload.len());
        index.shrink();
        Self { index, payload }
    }

    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    /// Bytes of output.
    pub(super) fn payload(&self) -> usize {
        self.payload.len()
    }

    /// Memory in all, in bytes.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.payload.capacity() + self.index.memory()
    }

    pub(super) fn is_full(&self, segment_bytes: usize) -> bool {
        self.payload.len() >= segment_bytes || self.index.chunks() >= segment_bytes / BYTES_PER_CHUNK
    }

    /// Whether output of this stream may join the newest chunk.
    pub(super) fn can_grow(&self, stream: Stream, segment_bytes: usize) -> bool {
        self.payload.len() < segment_bytes && self.index.last_stream() == Some(stream)
    }

    /// Begins a chunk.
    pub(super) fn start(&mut self, stream: Stream) {
        self.index.start(stream);
    }

    /// Appends as much of `bytes` as fits to the newest chunk and says how much that was.
    pub(super) fn grow(&mut self, bytes: &[u8], segment_bytes: usize) -> usize {
        let fits = bytes.len().min(segment_bytes - self.payload.len());
        let end = self.payload.len() + fits;
        if end > self.payload.capacity() {
            // Doubling, but never past the size of a segment, so that memory stays in proportion.
            let wanted = (self.payload.capacity() * 2).clamp(end, segment_bytes.max(end));
            self.payload.reserve_exact(wanted - self.payload.len());
        }
        self.payload.extend_from_slice(&bytes[..fits]);
        self.index.extend_to(end);
        fits
    }

    /// What is here behind this offset; the first may be the rest of a chunk.
    pub(super) fn entries_from(&self, offset: u64) -> impl Iterator<Item = Entry<'_>> {
        let start = self.index.offset();
        let skipped = usize::try_from(offset.saturating_sub(start)).unwrap_or(usize::MAX);
        self.index.places_from(offset).map(move |place| {
            let from = place.from.max(skipped);
            Entry {
                seq: Seq(place.seq.0),
                stream: place.stream,
                offset: start + from as u64,
                bytes: &self.payload[from..place.to],
            }
        })
    }

    /// Gives back what was set aside for further chunks.
    pub(super) fn shrink(&mut self) {
        self.payload.shrink_to_fit();
        self.index.shrink();
    }

    pub(super) fn into_parts(self) -> (Index, Vec<u8>) {
        (self.index, self.payload)
    }
}
