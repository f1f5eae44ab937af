//! A log line by line.

use std::io;

use super::source::Source;

/// How much of a line is looked at as a whole, in bytes. A longer one is looked at in pieces of this length.
pub(super) const PIECE_BYTES: usize = 1 << 20;

/// The lines of a part of a log.
#[derive(Debug)]
pub(super) struct Pieces<'a> {
    source: Source<'a>,
    buffer: Vec<u8>,
    /// What of the buffer was not told yet.
    start: usize,
    filled: usize,
    /// The offset of what is to be read next, and where that ends.
    next: u64,
    to: u64,
}

/// A line with its line feed, or a piece of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    /// Its first byte.
    pub(super) offset: u64,
    pub(super) bytes: &'a [u8],
}

impl Piece<'_> {
    /// The byte behind its last.
    pub(super) fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }
}

impl<'a> Pieces<'a> {
    /// From the first offset up to the second.
    pub(super) fn new(source: Source<'a>, from: u64, to: u64) -> Self {
        Self {
            source,
            buffer: vec![0; PIECE_BYTES],
            start: 0,
            filled: 0,
            next: from,
            to,
        }
    }

    /// The next one. None at the end.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(super) fn next(&mut self) -> io::Result<Option<Piece<'_>>> {
        let length = loop {
            let rest = &self.buffer[self.start..self.filled];
            if let Some(found) = memchr::memchr(b'\n', rest) {
                break found + 1;
            }
            let is_full = self.start == 0 && self.filled == self.buffer.len();
            if is_full || self.fill()? == 0 {
                break self.filled - self.start;
            }
        };
        if length == 0 {
            return Ok(None);
        }
        let offset = self.next - (self.filled - self.start) as u64;
        let bytes = &self.buffer[self.start..self.start + length];
        self.start += length;
        Ok(Some(Piece { offset, bytes }))
    }

    /// Reads on behind what was not told yet.
    fn fill(&mut self) -> io::Result<usize> {
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.start = 0;
        let buffer = &mut self.buffer[self.filled..];
        let count = self.source.fill(buffer, self.next, self.to)?;
        self.filled += count;
        self.next += count as u64;
        Ok(count)
    }
}
