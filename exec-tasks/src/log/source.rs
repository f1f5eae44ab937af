//! The part of a raw log that is looked at.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use super::counts::line_feeds;

/// How much is read at a time to look for lines, in bytes.
const BLOCK_BYTES: usize = 64 << 10;

/// A raw log from its first byte that is kept to its end. Nothing outside is ever read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    raw: &'a File,
    first: u64,
    end: u64,
}

impl<'a> Source<'a> {
    /// From the first offset up to and without the second.
    pub(super) fn new(raw: &'a File, first: u64, end: u64) -> Self {
        let end = end.max(first);
        Self { raw, first, end }
    }

    /// Its first byte.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// The byte behind its last.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// The bytes from the first offset up to the second, as far as they are there. The caller bounds how many.
    ///
    /// # Errors
    ///
    /// If the file was cut meanwhile, and what the system says else.
    pub(super) fn read(&self, from: u64, to: u64) -> io::Result<Vec<u8>> {
        let range = self.within(from, to);
        let mut bytes = vec![0; usize::try_from(range.end - range.start).map_err(io::Error::other)?];
        self.raw.read_exact_at(&mut bytes, range.start)?;
        Ok(bytes)
    }

    /// Fills the buffer from this offset on, up to the second. Returns how much there was.
    ///
    /// # Errors
    ///
    /// If the file was cut meanwhile, and what the system says else.
    pub(super) fn fill(&self, buffer: &mut [u8], from: u64, to: u64) -> io::Result<usize> {
        let range = self.within(from, to);
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let length = length.min(buffer.len());
        self.raw.read_exact_at(&mut buffer[..length], range.start)?;
        Ok(length)
    }

    /// How many line feeds there are between two offsets.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(super) fn count_line_feeds(&self, from: u64, to: u64) -> io::Result<u64> {
        let mut count = 0;
        self.forward(from, to, |_, block| -> Option<()> {
            count += line_feeds(block);
            None
        })?;
        Ok(count)
    }

    /// The offset behind the line feed that has so many before it from an offset on. None if there are not so many.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(super) fn behind_line_feed(&self, from: u64, to: u64, skipped: u64) -> io::Result<Option<u64>> {
        let mut left = skipped;
        self.forward(from, to, |offset, block| {
            let count = line_feeds(block);
            if count <= left {
                left -= count;
                return None;
            }
            let nth = usize::try_from(left).unwrap_or(usize::MAX);
            let found = memchr::memchr_iter(b'\n', block).nth(nth)?;
            Some(offset + found as u64 + 1)
        })
    }

    /// The same backwards: the offset behind the line feed that has so many behind it up to the second offset.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(super) fn behind_line_feed_from_end(
        &self,
        from: u64,
        to: u64,
        skipped: u64,
    ) -> io::Result<Option<u64>> {
        let mut left = skipped;
        let range = self.within(from, to);
        let mut buffer = vec![0; BLOCK_BYTES];
        let mut end = range.end;
        while end > range.start {
            let start = end.saturating_sub(BLOCK_BYTES as u64).max(range.start);
            let length = self.fill(&mut buffer, start, end)?;
            let block = &buffer[..length];
            let count = line_feeds(block);
            if count <= left {
                left -= count;
                end = start;
                continue;
            }
            let nth = usize::try_from(left).unwrap_or(usize::MAX);
            let found = memchr::memrchr_iter(b'\n', block).nth(nth);
            return Ok(found.map(|found| start + found as u64 + 1));
        }
        Ok(None)
    }

    /// Looks at block after block until something is found.
    fn forward<T>(
        &self,
        from: u64,
        to: u64,
        mut look: impl FnMut(u64, &[u8]) -> Option<T>,
    ) -> io::Result<Option<T>> {
        let range = self.within(from, to);
        let mut buffer = vec![0; BLOCK_BYTES];
        let mut at = range.start;
        while at < range.end {
            let length = self.fill(&mut buffer, at, range.end)?;
            if let Some(found) = look(at, &buffer[..length]) {
                return Ok(Some(found));
            }
            at += length as u64;
        }
        Ok(None)
    }

    fn within(&self, from: u64, to: u64) -> Range<u64> {
        let start = from.clamp(self.first, self.end);
        start..to.clamp(start, self.end)
    }
}
