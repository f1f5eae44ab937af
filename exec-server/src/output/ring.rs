//! What a process said, numbered and bounded. Pure: no clock, no tasks, no locks.

mod history;
mod index;
mod segment;

use std::collections::VecDeque;

use exec_protocol::Seq;
use exec_protocol::process::{Gap, Stream};

use history::History;
pub(crate) use segment::SEGMENT_BYTES;
use segment::Segment;

/// Segments that a full ring holds at least. Eviction takes whole ones, so a sixteenth of the capacity is how
/// coarse it is.
const SEGMENTS: usize = 16;

/// Shortest segment, in bytes of payload.
const MIN_SEGMENT_BYTES: usize = 1 << 10;

/// Smallest capacity of a ring, in bytes of payload. Less would not hold what a program says in one breath.
pub(crate) const MIN_CAPACITY: usize = SEGMENTS * MIN_SEGMENT_BYTES;

/// A position in what a process said: what lies behind it is news to whoever has it.
///
/// The two need not meet at an entry's border: a reader that counts bytes may stand within one, whose number is
/// then the next of `seq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Cursor {
    /// Every event up to here is known.
    pub(crate) seq: Seq,
    /// Every byte before this offset is known.
    pub(crate) offset: u64,
}

/// A chunk of output, or the part of one behind a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    pub(crate) seq: Seq,
    pub(crate) stream: Stream,
    /// The offset of the first byte.
    pub(crate) offset: u64,
    pub(crate) bytes: &'a [u8],
}

impl Entry<'_> {
    /// Where a reader stands that has this.
    pub(crate) fn end(&self) -> Cursor {
        Cursor {
            seq: self.seq,
            offset: self.offset + self.bytes.len() as u64,
        }
    }
}

/// Numbered chunks of output, of which the newest are kept.
///
/// A chunk of the same stream grows until its number was told to somebody: while nobody looks,
/// many small writes become few chunks, and nobody ever sees a chunk change.
///
/// # Invariants
///
/// * Numbers are consecutive, from 1, over all chunks and marks ever made; every byte has an offset, from 0.
/// * Right after [`evict`](Self::evict) without a floor, the memory held, payload and index and history, is at most a
///   quarter above the capacity, whatever the sizes of the writes.
#[derive(Debug)]
pub(crate) struct Ring {
    segments: VecDeque<Segment>,
    /// The newest number, and how many bytes there were so far.
    end: Cursor,
    /// Where the oldest kept chunk begins; its `seq` is the last that was evicted, or 0.
    evicted: Cursor,
    /// What is known of what was evicted.
    history: History,
    /// Whether the newest chunk may still grow.
    open: bool,
    /// Whether the next chunk begins a segment, because it does not follow the one before it in number.
    breaks: bool,
    capacity: usize,
    segment_bytes: usize,
    payload: usize,
    memory: usize,
}

impl Ring {
    /// An empty ring that keeps `capacity` bytes of payload, at least [`MIN_CAPACITY`].
    pub(crate) fn new(capacity: usize) -> Self {
        let capacity = capacity.max(MIN_CAPACITY);
        Self {
            segments: VecDeque::new(),
            end: Cursor::default(),
            evicted: Cursor::default(),
            history: History::new(capacity / SEGMENTS),
            open: false,
            breaks: false,
            capacity,
            segment_bytes: (capacity / SEGMENTS).min(SEGMENT_BYTES),
            payload: 0,
            memory: 0,
        }
    }

    /// The newest number, and how many bytes were said so far.
    pub(crate) fn end(&self) -> Cursor {
        self.end
    }

    /// The oldest chunk that is kept, and its offset; what comes next if none is.
    pub(crate) fn first(&self) -> (Seq, u64) {
        match self.segments.front() {
            Some(segment) => (segment.index().first(), segment.index().offset()),
            None => (self.end.seq.next(), self.end.offset),
        }
    }

    /// Where what is kept begins: everything up to here was dropped.
    pub(crate) fn evicted(&self) -> Cursor {
        self.evicted
    }

    /// Memory held for payload, index and history, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.memory + self.history.memory()
    }

    /// Appends output: to the newest chunk if it may grow, else as new ones of at most 64 KiB.
    pub(crate) fn push(&mut self, stream: Stream, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let grows = self.open
                && self
                    .segments
                    .back()
                    .is_some_and(|segment| segment.can_grow(stream, self.segment_bytes));
            if !grows {
                self.start_chunk(stream, bytes.len());
            }
            let segment_bytes = self.segment_bytes;
            let taken = self.with_newest(|segment| segment.grow(bytes, segment_bytes));
            self.payload += taken;
            self.end.offset += taken as u64;
            bytes = &bytes[taken..];
        }
    }

    /// Appends a full read of a pipe, without copying it if it makes a segment. Gives the buffer back otherwise.
    pub(crate) fn push_buffer(&mut self, stream: Stream, buffer: Vec<u8>) -> Option<Vec<u8>> {
        let is_segment = buffer.len() == self.segment_bytes && buffer.capacity() == self.segment_bytes;
        if !is_segment {
            self.push(stream, &buffer);
            return Some(buffer);
        }
        let segment = Segment::whole(self.end, stream, buffer);
        self.payload += segment.payload();
        self.memory += segment.memory();
        self.end = segment.index().end();
        self.segments.push_back(segment);
        (self.open, self.breaks) = (false, false);
        None
    }

    /// Takes a number for an event that has no bytes.
    pub(crate) fn mark(&mut self) -> Seq {
        self.end.seq = self.end.seq.next();
        (self.open, self.breaks) = (false, true);
        self.end.seq
    }

    /// Lets the newest chunk grow no more: its number is about to be told.
    pub(crate) fn seal(&mut self) {
        self.open = false;
    }

    /// What is kept behind this offset, oldest first; the first may be the rest of a chunk. What is told no longer grows.
    pub(crate) fn entries_from(&mut self, offset: u64) -> impl Iterator<Item = Entry<'_>> {
        self.seal();
        self.peek_from(offset)
    }

    /// The same, for somebody who keeps to itself what it sees: the newest chunk may still grow.
    pub(crate) fn peek_from(&self, offset: u64) -> impl Iterator<Item = Entry<'_>> {
        let older = self
            .segments
            .partition_point(|segment| segment.index().offset() <= offset);
        self.segments
            .range(older.saturating_sub(1)..)
            .flat_map(move |segment| segment.entries_from(offset))
    }

    /// Where a reader stands that knows everything up to this number.
    ///
    /// Its offset is exact as long as the chunk is kept, and for a good while afterwards. Then it is an earlier one.
    pub(crate) fn after_seq(&self, seq: Seq) -> Cursor {
        if seq >= self.end.seq {
            return self.end;
        }
        if seq < self.first().0 {
            return self.history.after_seq(seq, self.evicted);
        }
        let newer = self
            .segments
            .partition_point(|segment| segment.index().first() <= seq);
        let offset = self.segments[newer - 1].index().offset_after(seq);
        Cursor { seq, offset }
    }

    /// Where a reader stands that knows every byte before this offset.
    ///
    /// Its number is exact as long as the byte is kept, and for a good while afterwards. Then it is an earlier one.
    pub(crate) fn after_offset(&self, offset: u64) -> Cursor {
        if offset >= self.end.offset {
            return self.end;
        }
        if offset < self.first().1 {
            return self.history.after_offset(offset);
        }
        let newer = self
            .segments
            .partition_point(|segment| segment.index().offset() <= offset);
        let seq = self.segments[newer - 1].index().seq_before(offset);
        Cursor { seq, offset }
    }

    /// Remembers a position that was told, so that what is missing behind it can be told exactly later on.
    pub(crate) fn remember(&mut self, cursor: Cursor) {
        // The end of a part of a chunk is no position that has a number.
        if self.after_seq(cursor.seq) == cursor {
            self.history.remember(cursor);
        }
    }

    /// What lay between a reader and the oldest that is kept.
    pub(crate) fn gap_after(&self, cursor: Cursor) -> Option<Gap> {
        let is_lost = cursor.offset < self.evicted.offset;
        is_lost.then(|| {
            Gap::new(
                cursor.seq.next(),
                self.evicted.seq,
                cursor.offset,
                self.evicted.offset,
            )
        })
    }

    /// Drops the oldest segments until the ring is within its bounds again, but never the newest, and
    /// none that holds a byte behind `floor`. Hands the buffers of full ones to `recycle`.
    pub(crate) fn evict(&mut self, floor: Option<u64>, mut recycle: impl FnMut(Vec<u8>)) {
        while !self.is_within_bounds() && self.segments.len() > 1 {
            let end = self.segments[0].index().end();
            if floor.is_some_and(|floor| end.offset > floor) {
                return;
            }
            if let Some(segment) = self.segments.pop_front() {
                self.payload -= segment.payload();
                self.memory -= segment.memory();
                self.evicted = end;
                let (index, payload) = segment.into_parts();
                self.history.add(index);
                recycle(payload);
            }
        }
    }

    /// Gives back what was set aside for more: nothing will follow.
    pub(crate) fn shrink(&mut self) {
        if !self.segments.is_empty() {
            self.with_newest(Segment::shrink);
        }
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        if let Some(newest) = self.segments.back() {
            self.evicted = newest.index().end();
        }
        self.segments = VecDeque::new();
        self.history = History::new(0);
        (self.payload, self.memory) = (0, 0);
        (self.open, self.breaks) = (false, true);
    }

    /// Whether what is held fits the capacity. Right after [`evict`](Self::evict) it does, unless
    /// the floor stands in the way.
    pub(crate) fn is_within_bounds(&self) -> bool {
        self.payload <= self.capacity && self.memory() <= self.capacity.saturating_add(self.capacity / 4)
    }

    fn start_chunk(&mut self, stream: Stream, expected: usize) {
        let has_room = self
            .segments
            .back()
            .is_some_and(|segment| !segment.is_full(self.segment_bytes));
        if self.breaks || !has_room {
            let segment = Segment::new(self.end, expected.min(self.segment_bytes));
            self.memory += segment.memory();
            self.segments.push_back(segment);
        }
        self.end.seq = self.end.seq.next();
        (self.open, self.breaks) = (true, false);
        self.with_newest(|segment| segment.start(stream));
    }

    fn with_newest<T>(&mut self, change: impl FnOnce(&mut Segment) -> T) -> T {
        let segment = self.segments.back_mut().expect("a chunk was started before");
        let before = segment.memory();
        let result = change(segment);
        self.memory = self.memory + segment.memory() - before;
        result
    }
}

#[cfg(test)]
mod tests;
