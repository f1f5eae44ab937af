//! The one that writes a log.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use exec_protocol::task::{LogStopped, OnOutputLimit};

use super::batch::Terms;
use super::counts::{LogTotals, add, line_feeds, of_stream};
use super::files::LogFiles;
use super::header::{HEADER_BYTES, Header, record_position};
use super::record::{MAX_LENGTH, Merging, RECORD_BYTES, Record};
use crate::quota::Quota;
use crate::runner::Batch;

/// By how much an index may be longer than its log before records are merged that would else be kept apart, in bytes.
const INDEX_AHEAD_BYTES: u64 = 4 << 10;

/// A log that grows.
#[derive(Debug)]
pub(crate) struct LogWriter {
    pub(super) raw: File,
    pub(super) index: File,
    pub(super) terms: Terms,
    pub(super) quota: Arc<Quota>,
    pub(super) header: Header,
    /// How long the raw log is.
    pub(super) end: u64,
    /// How many records there are and were.
    pub(super) records: u64,
    /// The last of them. It may grow.
    newest: Option<Record>,
}

/// What an append came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Appended {
    /// Nothing is to be done. Whether it was kept stands in the totals.
    Counted,
    /// With it the attempt has for the first time written more than it may, and is to be killed for that.
    LimitReached,
}

/// The records of a batch, and how much of the batch they stand for.
#[derive(Debug, Default)]
struct Plan {
    /// They replace the newest and follow it.
    records: Vec<Record>,
    length: usize,
    line_feeds: u64,
}

impl LogWriter {
    /// Begins the log of an attempt. Its directory is made if there is none.
    ///
    /// # Errors
    ///
    /// If the attempt has a log already, and what the system says.
    pub(crate) fn create(files: &LogFiles, terms: Terms, quota: Arc<Quota>) -> io::Result<Self> {
        let (raw, index) = files.create()?;
        Self::begin(raw, index, terms, quota)
    }

    /// Begins a log in empty files.
    pub(super) fn begin(raw: File, index: File, terms: Terms, quota: Arc<Quota>) -> io::Result<Self> {
        let mut header = Header::default();
        if !quota.take(HEADER_BYTES as u64) {
            // It has to stand somewhere why there is nothing.
            quota.take_regardless(HEADER_BYTES as u64);
            header.stopped = Some(LogStopped::Quota);
        }
        if let Err(error) = header.write(&index) {
            quota.give(HEADER_BYTES as u64);
            return Err(error);
        }
        Ok(Self {
            raw,
            index,
            terms,
            quota,
            header,
            end: 0,
            records: 0,
            newest: None,
        })
    }

    /// Appends output as far as it is to be kept. What is not is counted, and the totals say why.
    pub(crate) fn append(&mut self, batch: &Batch, now_ms: u64) -> Appended {
        let before = self.header.counts.bytes.total();
        let kept = match self.header.stopped {
            None => self.keep(batch, now_ms),
            Some(_) => Plan::default(),
        };
        self.count(batch, &kept, now_ms);
        if self.header.stopped.is_some() {
            // What is not kept is known from here only. If it cannot be written, it is not known after a crash.
            drop(self.header.write(&self.index));
        }
        let limit = self.terms.max_bytes;
        let is_crossed = before <= limit && self.header.counts.bytes.total() > limit;
        if is_crossed && self.terms.on_limit == OnOutputLimit::Kill {
            Appended::LimitReached
        } else {
            Appended::Counted
        }
    }

    /// What there is so far.
    pub(crate) fn tell(&self) -> LogTotals {
        self.header.totals(self.end)
    }

    /// Writes what is to be kept of a batch. Returns what of it is.
    fn keep(&mut self, batch: &Batch, now_ms: u64) -> Plan {
        let length = batch.output().len();
        let mut allowed = length;
        match self.terms.on_limit {
            OnOutputLimit::Kill | OnOutputLimit::Stop => allowed = self.up_to_limit(length),
            OnOutputLimit::DropOldest => {
                if let Err(error) = self.make_room(length as u64) {
                    self.fail("dropping the oldest output", &error);
                    allowed = self.up_to_limit(length);
                }
            }
        }
        let kept = self.write_within_quota(batch, allowed, now_ms);
        if allowed < length {
            self.header.stopped.get_or_insert(LogStopped::OutputLimit);
        }
        // A batch may be more than is kept of all.
        if self.terms.on_limit == OnOutputLimit::DropOldest
            && let Err(error) = self.make_room(0)
        {
            self.fail("dropping the oldest output", &error);
        }
        kept
    }

    /// How much of what comes fits before the limit.
    fn up_to_limit(&self, length: usize) -> usize {
        let kept = self.end - self.header.first.offset;
        let left = self.terms.max_bytes.saturating_sub(kept);
        length.min(usize::try_from(left).unwrap_or(usize::MAX))
    }

    /// Writes so much of a batch as the quota has room for.
    fn write_within_quota(&mut self, batch: &Batch, allowed: usize, now_ms: u64) -> Plan {
        let mut plan = self.plan(batch, allowed, now_ms);
        let new_records = (plan.records.len() - usize::from(self.newest.is_some())) * RECORD_BYTES;
        let wanted = plan.length + new_records;
        let taken = self.quota.take_up_to(wanted as u64);
        let short = wanted - usize::try_from(taken).unwrap_or(wanted).min(wanted);
        if short > 0 {
            plan = self.plan(batch, plan.length.saturating_sub(short), now_ms);
            self.header.stopped.get_or_insert(LogStopped::Quota);
        }
        let before = self.held();
        let written = self.write(batch, plan, now_ms);
        let grown = self.held() - before;
        // A part of a batch may take fewer records, and not all of it may have been written.
        self.quota.give(taken.saturating_sub(grown));
        written
    }

    /// Writes the records, and then the bytes that they stand for.
    fn write(&mut self, batch: &Batch, plan: Plan, now_ms: u64) -> Plan {
        if plan.length == 0 {
            return plan;
        }
        if let Err(error) = self.write_records(&plan.records) {
            self.fail("writing the index", &error);
            self.cut_index();
            return Plan::default();
        }
        let (written, result) = write_at(&self.raw, &batch.bytes[..plan.length], self.end);
        let plan = match result {
            Ok(()) => plan,
            Err(error) => {
                self.fail("writing the log", &error);
                let shorter = self.plan(batch, written, now_ms);
                // Where this fails too there are records of what is not there, as after a crash.
                drop(self.write_records(&shorter.records));
                shorter
            }
        };
        self.end += plan.length as u64;
        self.records += (plan.records.len() - usize::from(self.newest.is_some())) as u64;
        self.newest = plan.records.last().copied();
        if matches!(self.header.stopped, Some(LogStopped::Failed { .. })) {
            self.cut_index();
            drop(self.raw.set_len(self.end));
        }
        plan
    }

    /// The records of the first bytes of a batch.
    fn plan(&self, batch: &Batch, length: usize, now_ms: u64) -> Plan {
        let index_bytes = (self.records - self.header.first.record) * RECORD_BYTES as u64;
        let is_ahead = index_bytes > self.end - self.header.first.offset + INDEX_AHEAD_BYTES;
        let merging = if is_ahead {
            Merging::Anything
        } else {
            Merging::OneStream
        };
        let mut plan = Plan {
            records: self.newest.into_iter().collect(),
            length: 0,
            line_feeds: 0,
        };
        for (chunk, bytes) in batch.chunks() {
            let bytes = &bytes[..bytes.len().min(length - plan.length)];
            for piece in bytes.chunks(MAX_LENGTH) {
                let record = Record {
                    bytes: of_stream(chunk.stream, piece.len() as u64),
                    offset: self.end + plan.length as u64,
                    line_feeds: self.header.counts.line_feeds + plan.line_feeds,
                    first_seq: chunk.seq,
                    last_seq: chunk.seq,
                    first_at_ms: now_ms,
                    last_at_ms: now_ms,
                };
                plan.length += piece.len();
                plan.line_feeds += line_feeds(piece);
                let newest = plan.records.last_mut();
                if !newest.is_some_and(|newest| newest.merge(&record, merging)) {
                    plan.records.push(record);
                }
            }
        }
        plan
    }

    fn write_records(&self, records: &[Record]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(records.len() * RECORD_BYTES);
        for record in records {
            record.encode(&mut bytes);
        }
        let first = self.records - u64::from(self.newest.is_some());
        self.index.write_all_at(&bytes, record_position(first))
    }

    /// Cuts what is behind the last record that counts.
    fn cut_index(&self) {
        // What stays behind is cut by whoever puts the files in order after a crash.
        drop(self.index.set_len(record_position(self.records)));
    }

    fn count(&mut self, batch: &Batch, kept: &Plan, now_ms: u64) {
        let counts = &mut self.header.counts;
        let output = batch.output();
        let Some(last) = output.last() else {
            return;
        };
        counts.line_feeds += kept.line_feeds + line_feeds(&output[kept.length..]);
        counts.is_unfinished = *last != b'\n';
        counts.last_at_ms = Some(now_ms);
        for (chunk, bytes) in batch.chunks() {
            add(&mut counts.bytes, of_stream(chunk.stream, bytes.len() as u64));
            counts.last_seq = chunk.seq;
        }
    }

    /// What the two files hold, as the quota counts it.
    pub(super) fn held(&self) -> u64 {
        self.header.first.held(self.end, record_position(self.records))
    }

    fn fail(&mut self, doing: &str, error: &io::Error) {
        let message = format!("{doing}: {error}");
        self.header.stopped.get_or_insert(LogStopped::Failed { message });
    }
}

/// Writes as much as can be written. Returns how much that is.
fn write_at(file: &File, bytes: &[u8], position: u64) -> (usize, io::Result<()>) {
    let mut written = 0;
    while written < bytes.len() {
        match file.write_at(&bytes[written..], position + written as u64) {
            Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
    (written, Ok(()))
}
