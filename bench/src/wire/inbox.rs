//! What was received and not yet handed out.

use std::io::{self, Read};
use std::ops::Range;

/// Room for a read. A pipe holds 64 KiB by default, and more than fits into the cache of a core gains nothing.
const READ_BYTES: usize = 256 << 10;

/// A buffer that is filled at its end and used from its beginning.
#[derive(Debug)]
pub(super) struct Inbox {
    room: Vec<u8>,
    start: usize,
    end: usize,
}

impl Inbox {
    pub(super) fn new() -> Self {
        Self {
            room: vec![0; READ_BYTES],
            start: 0,
            end: 0,
        }
    }

    /// What is there.
    pub(super) fn pending(&self) -> &[u8] {
        &self.room[self.start..self.end]
    }

    /// What [`take`](Self::take) has given away.
    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.room[range]
    }

    /// Takes `skip` bytes that are passed over, and `length` that are wanted.
    pub(super) fn take(&mut self, skip: usize, length: usize) -> Range<usize> {
        let begin = self.start + skip;
        self.start = begin + length;
        begin..self.start
    }

    /// Reads once, with room for at least `missing` bytes. False at the end of the stream.
    pub(super) fn fill(&mut self, from: &mut impl Read, missing: usize) -> io::Result<bool> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        let wanted = missing.max(READ_BYTES / 4);
        if self.room.len() - self.end < wanted {
            self.room.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            if self.room.len() - self.end < wanted {
                self.room.resize((self.end + wanted).next_power_of_two(), 0);
            }
        }
        loop {
            match from.read(&mut self.room[self.end..]) {
                Ok(count) => {
                    self.end += count;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
