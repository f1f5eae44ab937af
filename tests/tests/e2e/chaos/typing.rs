//! What a client types, and what of it has arrived.

use std::collections::VecDeque;

use super::random::Random;

/// What a client types into one process: writes that stay to be sent until they were taken.
#[derive(Debug)]
pub(super) struct Typing {
    by: By,
    /// Bytes that were taken for certain.
    taken: u64,
    /// Writes that were not, in order.
    open: VecDeque<Write>,
    count: u64,
    /// Bytes of all writes.
    bytes: u64,
    /// Whether the last write has the end of file.
    has_eof: bool,
    is_given_up: bool,
}

/// How a repeated write is known for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Id,
    Offset,
}

/// One write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Write {
    pub(super) number: u64,
    pub(super) offset: u64,
    pub(super) bytes: u64,
    pub(super) eof: bool,
    is_under_way: bool,
}

impl Typing {
    pub(super) fn new(random: &mut Random) -> Self {
        Self {
            by: random.pick(&[By::Id, By::Offset]),
            taken: 0,
            open: VecDeque::new(),
            count: 0,
            bytes: 0,
            has_eof: false,
            is_given_up: false,
        }
    }

    pub(super) fn by(&self) -> By {
        self.by
    }

    /// What must come back if everything was taken up to the end of file, in bytes; None if that was never sent.
    pub(super) fn whole(&self) -> Option<u64> {
        self.has_eof.then_some(self.bytes)
    }

    /// Adds a write behind the others; None behind the last one.
    pub(super) fn add(&mut self, bytes: u64, eof: bool) -> Option<Write> {
        if self.has_eof || self.is_given_up {
            return None;
        }
        let offset = self
            .open
            .back()
            .map_or(self.taken, |last| last.offset + last.bytes);
        let write = Write {
            number: self.count,
            offset,
            bytes,
            eof,
            is_under_way: true,
        };
        self.count += 1;
        self.bytes += bytes;
        self.has_eof = eof;
        self.open.push_back(write);
        Some(write)
    }

    /// The writes that have to be sent again: all that are open, as soon as none is under way.
    pub(super) fn again(&mut self) -> Vec<Write> {
        if self.open.iter().any(|write| write.is_under_way) {
            return Vec::new();
        }
        for write in &mut self.open {
            write.is_under_way = true;
        }
        self.open.iter().copied().collect()
    }

    /// What was under way may have been lost.
    pub(super) fn cut(&mut self) {
        for write in &mut self.open {
            write.is_under_way = false;
        }
    }

    /// So many bytes of a write were taken, and the end of file if it was there and that is all.
    pub(super) fn take(&mut self, number: u64, bytes: u64, is_all: bool) {
        let Some(at) = self.open.iter().position(|write| write.number == number) else {
            return;
        };
        let write = self.open[at];
        assert!(bytes <= write.bytes, "{bytes} bytes were taken of {write:?}");
        if is_all {
            assert_eq!(bytes, write.bytes, "all were taken of {write:?}");
            assert_eq!(at, 0, "{write:?} was taken before {:?}", self.open[0]);
            self.taken = write.offset + bytes;
            self.open.pop_front();
        } else {
            self.open[at].is_under_way = false;
        }
    }

    /// Nothing is to be typed any more.
    pub(super) fn give_up(&mut self) {
        self.open.clear();
        self.is_given_up = true;
    }
}
