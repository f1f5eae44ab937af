//! Which line a byte is in, and where a line begins.

use std::fs::File;
use std::io;

use super::header::First;
use super::index::record;
use super::record::Record;
use super::source::Source;

/// The lines of a log. The index says about where they are, and the log where exactly.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines<'a> {
    index: &'a File,
    /// How many records there are and were.
    records: u64,
    first: First,
    source: Source<'a>,
}

impl<'a> Lines<'a> {
    /// Those of this part of a log.
    pub(super) fn new(index: &'a File, records: u64, first: First, source: Source<'a>) -> Self {
        Self {
            index,
            records,
            first,
            source,
        }
    }

    /// The line that the first byte is in which is kept.
    pub(super) fn first(&self) -> u64 {
        self.first.line_feeds
    }

    /// The line that a byte is in: how many line feeds are before it.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(super) fn line_of(&self, offset: u64) -> io::Result<u64> {
        let (from, line_feeds) = self.last_position(|record| record.offset <= offset)?;
        let more = self.source.count_line_feeds(from, offset)?;
        Ok(line_feeds.saturating_add(more))
    }

    /// Where a line begins, or would: behind the last line feed. None if there are not so many. One that began before what is
    /// kept begins there.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(super) fn start_of(&self, line: u64) -> io::Result<Option<u64>> {
        let Some(before) = line.checked_sub(1).filter(|_| line > self.first.line_feeds) else {
            return Ok(Some(self.source.first()));
        };
        let (from, line_feeds) = self.last_position(|record| record.line_feeds < line)?;
        let skipped = before.saturating_sub(line_feeds);
        self.source.behind_line_feed(from, self.source.end(), skipped)
    }

    /// Where the last lines of a part begin, so many of them as are there.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(super) fn start_of_last(&self, from: u64, to: u64, lines: u64) -> io::Result<u64> {
        if lines == 0 || from >= to {
            return Ok(to);
        }
        // The line feed at the end is the last line's own.
        let found = self.source.behind_line_feed_from_end(from, to - 1, lines - 1)?;
        Ok(found.unwrap_or(from))
    }

    /// An offset and how many line feeds are before it: of the last record in what is kept for which the condition holds, which
    /// does for none behind one for which it does not.
    fn last_position(&self, holds: impl Fn(&Record) -> bool) -> io::Result<(u64, u64)> {
        let mut position = (self.source.first(), self.first.line_feeds);
        let (mut low, mut high) = (self.first.record, self.records);
        while low < high {
            let middle = low + (high - low) / 2;
            // What is no record, or is behind the end that the reader knows of, is behind all that it looks for.
            match record(self.index, middle)?.filter(|record| record.offset <= self.source.end()) {
                Some(record) if holds(&record) => {
                    if record.offset >= position.0 {
                        position = (record.offset, record.line_feeds);
                    }
                    low = middle + 1;
                }
                Some(_) | None => high = middle,
            }
        }
        Ok(position)
    }
}
