//! What is remembered of output that was dropped: where its chunks began and ended.

use std::collections::VecDeque;
use std::mem::size_of;

use exec_protocol::Seq;

use super::Cursor;
use super::index::Index;

/// Positions that were told in answers to reads and are remembered longer than all others.
const TOLD: usize = 16;

/// The positions of dropped chunks, as far back as there is room for, and some that were told to readers.
///
/// A gap says where it begins in numbers and in bytes, and a reader has only one of the two. Positions before what is
/// remembered are given as the nearest one before them that is: the gap is then larger than what the reader misses.
#[derive(Debug)]
pub(super) struct History {
    dropped: VecDeque<Index>,
    told: VecDeque<Cursor>,
    /// Of the indexes.
    memory: usize,
    max_memory: usize,
}

impl History {
    /// A history that takes so much memory at most, in bytes, beside what was told.
    pub(super) fn new(max_memory: usize) -> Self {
        Self {
            dropped: VecDeque::new(),
            told: VecDeque::new(),
            memory: 0,
            max_memory,
        }
    }

    /// In bytes.
    pub(super) fn memory(&self) -> usize {
        self.memory + self.told.capacity() * size_of::<Cursor>()
    }

    /// Adds what follows the dropped chunks so far.
    pub(super) fn add(&mut self, mut index: Index) {
        index.shrink();
        self.memory += size_of::<Index>() + index.memory();
        self.dropped.push_back(index);
        while self.memory > self.max_memory
            && let Some(oldest) = self.dropped.pop_front()
        {
            self.memory -= size_of::<Index>() + oldest.memory();
        }
    }

    /// Remembers a position that was told.
    pub(super) fn remember(&mut self, cursor: Cursor) {
        if self.told.back() == Some(&cursor) {
            return;
        }
        if self.told.len() == TOLD {
            self.told.pop_front();
        }
        self.told.push_back(cursor);
    }

    /// The position behind this number, which lies before `end`, where what is kept begins.
    pub(super) fn after_seq(&self, seq: Seq, end: Cursor) -> Cursor {
        let newer = self.dropped.partition_point(|index| index.first() <= seq);
        if let Some(index) = newer.checked_sub(1).and_then(|at| self.dropped.get(at)) {
            let offset = index.offset_after(seq);
            return Cursor { seq, offset };
        }
        match self.dropped.front() {
            // Between what is forgotten and what is remembered.
            Some(index) if index.first() == seq.next() => Cursor {
                seq,
                offset: index.offset(),
            },
            None if seq >= end.seq => Cursor {
                seq,
                offset: end.offset,
            },
            _ => self.nearest(|told| told.seq <= seq),
        }
    }

    /// The position of this offset, which lies before `end`, where what is kept begins.
    pub(super) fn after_offset(&self, offset: u64) -> Cursor {
        let newer = self.dropped.partition_point(|index| index.offset() <= offset);
        let seq = match newer.checked_sub(1).and_then(|at| self.dropped.get(at)) {
            Some(index) => index.seq_before(offset),
            None => self.nearest(|told| told.offset <= offset).seq,
        };
        Cursor { seq, offset }
    }

    fn nearest(&self, is_before: impl Fn(&Cursor) -> bool) -> Cursor {
        let told = self.told.iter().copied().filter(is_before);
        told.max_by_key(|told| told.offset).unwrap_or_default()
    }
}
