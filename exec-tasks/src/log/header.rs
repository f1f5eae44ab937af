//! What stands at the beginning of an index.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use exec_protocol::Seq;
use exec_protocol::process::StreamBytes;
use exec_protocol::task::{LogState, LogStopped};

use super::counts::{Counts, LogTotals};
use super::fields::Fields;
use super::record::RECORD_BYTES;

/// How long the header is, in bytes; the records follow it.
pub(super) const HEADER_BYTES: usize = 256;

/// What begins the file, and the version of what follows.
const MAGIC: [u8; 8] = *b"tasklog\x01";

/// How much is kept of what the system said, in bytes.
const MESSAGE_BYTES: usize = 128;

/// What holes begin and end at, in bytes: a smaller one gives nothing back on most file systems.
pub(super) const PAGE_BYTES: u64 = 4 << 10;

/// What no record says: where the log begins now, and where and why it stopped.
///
/// It is rewritten in place, within a page: it is never there by half.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Header {
    /// Where what is kept begins.
    pub(super) first: First,
    /// What was counted so far. In the file only as of the last time that it was written.
    pub(super) counts: Counts,
    /// Why nothing is kept any more.
    pub(super) stopped: Option<LogStopped>,
}

/// Where what is kept begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct First {
    /// The first byte.
    pub(super) offset: u64,
    /// How many line feeds were before it.
    pub(super) line_feeds: u64,
    /// The record that it is in.
    pub(super) record: u64,
    /// How much the records before that stood for.
    pub(super) dropped: StreamBytes,
}

impl First {
    /// How much of the raw log is given back to the file system, from its beginning.
    pub(super) fn raw_hole(&self) -> u64 {
        self.offset / PAGE_BYTES * PAGE_BYTES
    }

    /// Which part of the index is: the page with the header is not.
    pub(super) fn index_hole(&self) -> std::ops::Range<u64> {
        let end = record_position(self.record) / PAGE_BYTES * PAGE_BYTES;
        PAGE_BYTES..end.max(PAGE_BYTES)
    }

    /// What a raw log and an index of these lengths hold, in bytes, as the quota counts it.
    pub(super) fn held(&self, raw_bytes: u64, index_bytes: u64) -> u64 {
        let hole = self.index_hole();
        let raw = raw_bytes.saturating_sub(self.raw_hole());
        raw.saturating_add(index_bytes.saturating_sub(hole.end - hole.start))
    }
}

impl Header {
    /// What is told of a log that ends here.
    pub(super) fn totals(&self, end_offset: u64) -> LogTotals {
        let state = LogState {
            first_offset: self.first.offset,
            end_offset,
            stopped: self.stopped.clone(),
        };
        self.counts.totals(state)
    }

    /// Writes it to its place.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(super) fn write(&self, index: &File) -> io::Result<()> {
        index.write_all_at(&self.encode(), 0)
    }

    /// Reads it. None if there is none, or one of another version.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(super) fn read(index: &File) -> io::Result<Option<Self>> {
        let mut bytes = [0; HEADER_BYTES];
        match index.read_exact_at(&mut bytes, 0) {
            Ok(()) => Ok(Self::decode(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn encode(&self) -> Vec<u8> {
        let (reason, message) = match &self.stopped {
            None => (0, ""),
            Some(LogStopped::OutputLimit) => (1, ""),
            Some(LogStopped::Quota) => (2, ""),
            Some(LogStopped::Failed { message }) => (3, message.as_str()),
        };
        let Self { first, counts, .. } = self;
        let fields = [
            first.offset,
            first.line_feeds,
            first.record,
            first.dropped.stdout,
            first.dropped.stderr,
            first.dropped.pty,
            counts.bytes.stdout,
            counts.bytes.stderr,
            counts.bytes.pty,
            counts.line_feeds,
            u64::from(counts.is_unfinished),
            counts.last_seq.0,
            counts.last_at_ms.unwrap_or(u64::MAX),
            reason,
        ];
        let mut bytes = MAGIC.to_vec();
        for field in fields {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(cut(message).as_bytes());
        bytes.resize(HEADER_BYTES, 0);
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        if fields.array()? != MAGIC {
            return None;
        }
        let streams = |fields: &mut Fields<'_>| {
            Some(StreamBytes {
                stdout: fields.u64()?,
                stderr: fields.u64()?,
                pty: fields.u64()?,
            })
        };
        let first = First {
            offset: fields.u64()?,
            line_feeds: fields.u64()?,
            record: fields.u64()?,
            dropped: streams(&mut fields)?,
        };
        let counts = Counts {
            bytes: streams(&mut fields)?,
            line_feeds: fields.u64()?,
            is_unfinished: fields.u64()? != 0,
            last_seq: Seq(fields.u64()?),
            last_at_ms: Some(fields.u64()?).filter(|&at| at != u64::MAX),
        };
        let stopped = match fields.u64()? {
            0 => None,
            1 => Some(LogStopped::OutputLimit),
            2 => Some(LogStopped::Quota),
            _ => {
                let message = String::from_utf8_lossy(fields.rest());
                let message = cut(&message).trim_end_matches('\0').to_owned();
                Some(LogStopped::Failed { message })
            }
        };
        Some(Self {
            first,
            counts,
            stopped,
        })
    }
}

/// As much of a message as there is room for.
fn cut(message: &str) -> &str {
    &message[..message.floor_char_boundary(MESSAGE_BYTES)]
}

/// Where a record stands in the file.
pub(super) fn record_position(number: u64) -> u64 {
    number
        .saturating_mul(RECORD_BYTES as u64)
        .saturating_add(HEADER_BYTES as u64)
}
