//! Where chunks begin and end.

use std::mem::size_of;

use exec_protocol::Seq;
use exec_protocol::process::Stream;

use super::Cursor;

/// Numbers, streams and ends of chunks that follow each other. Never without a chunk once it is looked at.
#[derive(Debug)]
pub(super) struct Index {
    /// Where the first chunk begins.
    start: Cursor,
    marks: Vec<Mark>,
}

/// One chunk of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) seq: Seq,
    pub(super) stream: Stream,
    /// Where it lies, from the beginning of the index.
    pub(super) from: usize,
    pub(super) to: usize,
}

impl Index {
    /// An index without a chunk; the first one will follow `start`.
    pub(super) fn new(start: Cursor) -> Self {
        Self {
            start,
            marks: Vec::new(),
        }
    }

    /// The number of the first chunk.
    pub(super) fn first(&self) -> Seq {
        self.start.seq.next()
    }

    /// The offset of the first chunk.
    pub(super) fn offset(&self) -> u64 {
        self.start.offset
    }

    pub(super) fn chunks(&self) -> usize {
        self.marks.len()
    }

    /// The stream of the last chunk.
    pub(super) fn last_stream(&self) -> Option<Stream> {
        self.marks.last().map(|mark| mark.stream())
    }

    /// Where a reader stands that has every chunk.
    pub(super) fn end(&self) -> Cursor {
        Cursor {
            seq: Seq(self.start.seq.0 + self.marks.len() as u64),
            offset: self.start.offset + self.length() as u64,
        }
    }

    /// Adds a chunk without bytes.
    pub(super) fn start(&mut self, stream: Stream) {
        self.marks.push(Mark::new(stream, self.length()));
    }

    /// Moves the end of the last chunk.
    pub(super) fn extend_to(&mut self, end: usize) {
        if let Some(mark) = self.marks.last_mut() {
            *mark = Mark::new(mark.stream(), end);
        }
    }

    /// The offset behind this number, if it is not before the first nor behind the last: then that of the nearest.
    pub(super) fn offset_after(&self, seq: Seq) -> u64 {
        let known = seq.0.saturating_sub(self.start.seq.0);
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        self.start.offset + self.end_of(known.min(self.marks.len())) as u64
    }

    /// The number before that of the chunk with this byte.
    pub(super) fn seq_before(&self, offset: u64) -> Seq {
        Seq(self.start.seq.0 + self.chunks_before(offset) as u64)
    }

    /// Chunks that hold a byte at this offset or behind it. Does not look at those it passes over: there may be thousands.
    pub(super) fn places_from(&self, offset: u64) -> impl Iterator<Item = Place> {
        let passed_over = self.chunks_before(offset);
        let first = self.start.seq.0 + 1 + passed_over as u64;
        let mut from = self.end_of(passed_over);
        self.marks[passed_over..]
            .iter()
            .zip(first..)
            .map(move |(mark, seq)| {
                let place = Place {
                    seq: Seq(seq),
                    stream: mark.stream(),
                    from,
                    to: mark.end(),
                };
                from = place.to;
                place
            })
    }

    /// Memory beside the struct itself, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.marks.capacity() * size_of::<Mark>()
    }

    /// Gives back memory that was set aside for further chunks.
    pub(super) fn shrink(&mut self) {
        self.marks.shrink_to_fit();
    }

    fn length(&self) -> usize {
        self.end_of(self.marks.len())
    }

    fn end_of(&self, chunks: usize) -> usize {
        self.marks[..chunks].last().map_or(0, |mark| mark.end())
    }

    /// How many chunks end at this offset or before it.
    fn chunks_before(&self, offset: u64) -> usize {
        let at = offset.saturating_sub(self.start.offset);
        self.marks.partition_point(|mark| mark.end() as u64 <= at)
    }
}

/// Where a chunk ends, and its stream, in four bytes.
#[derive(Debug, Clone, Copy)]
struct Mark(u32);

impl Mark {
    const STREAM_SHIFT: u32 = 30;
    const END_MASK: u32 = (1 << Self::STREAM_SHIFT) - 1;

    fn new(stream: Stream, end: usize) -> Self {
        let stream = match stream {
            Stream::Stdout => 0,
            Stream::Stderr => 1,
            Stream::Pty => 2,
        };
        let end = u32::try_from(end).expect("a segment is 64 KiB");
        Self(stream << Self::STREAM_SHIFT | end)
    }

    fn end(self) -> usize {
        (self.0 & Self::END_MASK) as usize
    }

    fn stream(self) -> Stream {
        match self.0 >> Self::STREAM_SHIFT {
            0 => Stream::Stdout,
            1 => Stream::Stderr,
            _ => Stream::Pty,
        }
    }
}

const _: () = assert!(super::SEGMENT_BYTES <= Mark::END_MASK as usize);
