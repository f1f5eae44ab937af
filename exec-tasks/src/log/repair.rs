//! What a server does with the logs of one that was killed.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use exec_protocol::Seq;
use exec_protocol::process::{Stream, StreamBytes};
use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

use super::counts::{Counts, LogTotals, add, line_feeds, of_stream};
use super::files::LogFiles;
use super::header::{First, Header, record_position};
use super::index::records_from;
use super::record::{MAX_LENGTH, Record};
use super::source::Source;

/// Puts the files of an attempt in order that nobody writes to any more: what was written by half is cut, and the index
/// says what there is again. The raw log is left as it is, but for what cannot be output of a task. Done twice it changes nothing.
///
/// What the attempt wrote behind a stop is known as far as its last append was.
///
/// # Errors
///
/// If there is no raw log, and what the system says. Whatever may be in the files is no error.
pub(crate) fn repair(files: &LogFiles) -> io::Result<LogTotals> {
    let (raw, index) = files.open_to_repair()?;
    let end = raw.metadata()?.len();
    let read = Header::read(&index)?;
    let has_first = match &read {
        Some(header) => is_possible(&header.first, &index, end)?,
        None => false,
    };
    let mut header = read.unwrap_or_default();
    if !has_first {
        header.first = first_by_itself(&raw, end);
        // The records are of another beginning.
        index.set_len(0)?;
    }
    let mut repaired = Repaired::at(header.first);
    for record in records_from(&index, header.first.record) {
        if !repaired.take(record?, end) {
            break;
        }
    }
    index.set_len(record_position(repaired.records))?;
    let end = repaired.end(&raw, end)?;
    repaired.finish(&raw, &index, &header, end)?;
    // What was counted behind a stop is more than what the records say.
    if header.stopped.is_none() || header.counts.bytes.total() < repaired.counts.bytes.total() {
        header.counts = repaired.counts;
    }
    header.write(&index)?;
    Ok(header.totals(end))
}

/// Whether the log may begin there: within it, and with the record that the byte is in. If it begins at its end that record
/// may be gone, as it stood for nothing that is there.
fn is_possible(first: &First, index: &File, end: u64) -> io::Result<bool> {
    if *first == First::default() {
        return Ok(true);
    }
    if first.offset > end || first.line_feeds > first.offset {
        return Ok(false);
    }
    let dropped = first.dropped.total();
    if let Some(record) = super::index::record(index, first.record)? {
        let is_within = (record.offset..=record.end()).contains(&first.offset);
        return Ok(dropped == record.offset && is_within);
    }
    let is_in_index = record_position(first.record) <= index.metadata()?.len();
    Ok(dropped == end && first.offset == end && is_in_index)
}

/// Where a log without a usable index begins: where the file system has something of it.
fn first_by_itself(raw: &File, end: u64) -> First {
    // What cannot tell its holes is taken as it is.
    let offset = match seek(raw, SeekFrom::Data(0)) {
        Ok(offset) => offset.min(end),
        Err(Errno::NXIO) => end,
        Err(_) => 0,
    };
    First {
        offset,
        dropped: of_stream(Stream::Stdout, offset),
        ..First::default()
    }
}

/// What is known after some records.
#[derive(Debug)]
struct Repaired {
    /// Where what is kept begins.
    first: u64,
    /// How many records count, and did.
    records: u64,
    counts: Counts,
    last: Option<Record>,
}

impl Repaired {
    fn at(first: First) -> Self {
        let counts = Counts {
            bytes: first.dropped,
            line_feeds: first.line_feeds,
            ..Counts::default()
        };
        Self {
            first: first.offset,
            records: first.record,
            counts,
            last: None,
        }
    }

    /// Takes the next record on, as far as it stands for what is there. Says whether the next may be one.
    fn take(&mut self, mut record: Record, end: u64) -> bool {
        let expected = self.counts.bytes.total();
        let last = self.last.unwrap_or(Record {
            last_seq: Seq::ZERO,
            ..record
        });
        let follows = record.offset == expected
            && (last.line_feeds..=last.line_feeds.saturating_add(last.length())).contains(&record.line_feeds)
            && (last.last_seq..=record.last_seq).contains(&record.first_seq);
        if !follows || record.offset >= end {
            return false;
        }
        let is_whole = record.end() <= end;
        record.shorten(record.length().min(end - record.offset));
        add(&mut self.counts.bytes, record.bytes);
        self.counts.last_seq = record.last_seq;
        // What had no index has no time either, and the largest number stands for none in a header.
        self.counts.last_at_ms = Some(record.last_at_ms).filter(|at_ms| (1..u64::MAX).contains(at_ms));
        self.records += 1;
        self.last = Some(record);
        is_whole
    }

    /// Where the output ends. A writer leaves no hole behind itself: what is behind one was not written by one, and is cut.
    fn end(&self, raw: &File, length: u64) -> io::Result<u64> {
        let known = self.counts.bytes.total();
        if known >= length {
            return Ok(length);
        }
        tracing::warn!(bytes = length - known, "output without an index");
        // What cannot tell its holes has none.
        let end = seek(raw, SeekFrom::Hole(known)).unwrap_or(length).min(length);
        if end < length {
            raw.set_len(end)?;
        }
        Ok(end)
    }

    /// Writes the last record as it is now, and those of what has none.
    fn finish(&mut self, raw: &File, index: &File, header: &Header, end: u64) -> io::Result<()> {
        let source = Source::new(raw, self.first, end);
        let mut records = Vec::new();
        // Before what is kept nothing can be counted any more.
        let counted = match self.last {
            Some(last) if last.offset > self.first => (last.offset, last.line_feeds),
            Some(_) | None => (self.first, header.first.line_feeds),
        };
        let known = self.counts.bytes.total();
        let more = source.count_line_feeds(counted.0, known)?;
        self.counts.line_feeds = counted.1.saturating_add(more);
        let first_written = self.records - u64::from(self.last.is_some());
        if let Some(last) = &self.last {
            last.encode(&mut records);
        }
        write_at(index, &mut records, record_position(first_written))?;
        let mut at = known;
        while at < end {
            let to = end.min(at + MAX_LENGTH as u64);
            let record = self.without_index(at, to - at);
            record.encode(&mut records);
            write_at(index, &mut records, record_position(self.records))?;
            let more = line_feeds(&source.read(at, to)?);
            self.counts.line_feeds = self.counts.line_feeds.saturating_add(more);
            add(&mut self.counts.bytes, record.bytes);
            self.records += 1;
            at = to;
        }
        self.counts.is_unfinished = match end.checked_sub(1) {
            Some(last) if end > self.first => source.read(last, end)? != b"\n",
            Some(_) | None => false,
        };
        Ok(())
    }

    /// A record of output that has none. It is taken for output of the stream that was written to last.
    fn without_index(&self, offset: u64, length: u64) -> Record {
        let of_last = self.last.map_or(StreamBytes::default(), |last| last.bytes);
        let stream = match of_last {
            StreamBytes { pty: 1.., .. } => Stream::Pty,
            StreamBytes {
                stdout: 0,
                stderr: 1..,
                ..
            } => Stream::Stderr,
            StreamBytes { .. } => Stream::Stdout,
        };
        let at_ms = self.counts.last_at_ms.unwrap_or_default();
        Record {
            bytes: of_stream(stream, length),
            offset,
            line_feeds: self.counts.line_feeds,
            first_seq: self.counts.last_seq,
            last_seq: self.counts.last_seq,
            first_at_ms: at_ms,
            last_at_ms: at_ms,
        }
    }
}

fn write_at(index: &File, bytes: &mut Vec<u8>, position: u64) -> io::Result<()> {
    index.write_all_at(bytes, position)?;
    bytes.clear();
    Ok(())
}
