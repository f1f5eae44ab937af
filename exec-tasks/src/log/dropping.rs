//! Room for new output at the cost of the oldest.

use std::io;
use std::ops::Range;
use std::os::fd::AsFd;

use exec_protocol::process::StreamBytes;
#[cfg(target_os = "linux")]
use rustix::fs::{FallocateFlags, fallocate};

use super::counts::add;
use super::header::{First, PAGE_BYTES};
use super::index::records_from;
use super::source::Source;
use super::writer::LogWriter;

/// How much is dropped at a time at least, in bytes, unless that is more than half of what is kept.
const MIN_STEP_BYTES: u64 = 64 << 10;

impl LogWriter {
    /// Drops the oldest output, if there would else be more than may be kept when so much has come.
    ///
    /// # Errors
    ///
    /// If the file system cannot do that, and what the system says else. Then nothing was dropped, or it is known that it was.
    pub(super) fn make_room(&mut self, coming: u64) -> io::Result<()> {
        let max = self.terms.max_bytes;
        let end = self.end + coming;
        if end - self.header.first.offset <= max {
            return Ok(());
        }
        if self.end == self.header.first.offset {
            // There is nothing to drop yet, but there will be: it shows now whether it can be.
            return punch(&self.raw, 0..PAGE_BYTES);
        }
        let step = (max / 8).max(MIN_STEP_BYTES).min(max / 2);
        let first = self.first_at((end - max + step).min(self.end))?;
        self.drop_before(first)
    }

    /// What the beginning is when it is here.
    fn first_at(&self, offset: u64) -> io::Result<First> {
        let old = self.header.first;
        let mut first = First { offset, ..old };
        // Where lines are counted from: a record, or what the beginning was if that lies within it.
        let mut counted = (old.offset, old.line_feeds);
        let mut before: Option<StreamBytes> = None;
        for record in records_from(&self.index, old.record) {
            let record = record?;
            if record.offset > offset {
                break;
            }
            if let Some(before) = before.replace(record.bytes) {
                add(&mut first.dropped, before);
                first.record += 1;
            }
            if record.offset > old.offset {
                counted = (record.offset, record.line_feeds);
            }
        }
        let source = Source::new(&self.raw, old.offset, self.end);
        first.line_feeds = counted.1 + source.count_line_feeds(counted.0, offset)?;
        Ok(first)
    }

    fn drop_before(&mut self, first: First) -> io::Result<()> {
        let held = self.held();
        let old = std::mem::replace(&mut self.header.first, first);
        // The header goes first: after a crash no hole may be taken for output.
        let punched = self
            .header
            .write(&self.index)
            .and_then(|()| punch(&self.raw, old.raw_hole()..first.raw_hole()));
        if let Err(error) = punched {
            self.header.first = old;
            self.header.write(&self.index)?;
            return Err(error);
        }
        self.quota.give(held - self.held());
        punch(&self.index, old.index_hole().end..first.index_hole().end)
    }
}

/// Gives a part of a file back to the file system. It reads as zeros then.
#[cfg(target_os = "linux")]
fn punch(file: impl AsFd, range: Range<u64>) -> io::Result<()> {
    if range.is_empty() {
        return Ok(());
    }
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    Ok(fallocate(file, flags, range.start, range.end - range.start)?)
}

/// There is no way to do it here that was tried.
#[cfg(not(target_os = "linux"))]
fn punch(_file: impl AsFd, range: Range<u64>) -> io::Result<()> {
    if range.is_empty() {
        return Ok(());
    }
    Err(io::ErrorKind::Unsupported.into())
}
