//! One entry of an index.

use exec_protocol::Seq;
use exec_protocol::process::StreamBytes;

use super::counts::add;
use super::fields::Fields;

/// How long a record is, in bytes. None lies across the border of a page, so none is written in halves.
pub(super) const RECORD_BYTES: usize = 64;

/// How much output a record stands for at most, in bytes.
pub(super) const MAX_LENGTH: usize = 64 << 10;

/// From when to when a record may reach, in milliseconds.
const MAX_SPAN_MS: u64 = 1_000;

/// What a record begins with. A stretch of zeros, as a file system may leave it, is none.
const MARK: u32 = 0x4B_4E_48_43;

/// A stretch of output: a chunk, a part of one, or some that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Record {
    /// Its length, by stream. All of it is of one, unless the index would be longer than the log.
    pub(super) bytes: StreamBytes,
    /// Where it begins.
    pub(super) offset: u64,
    /// How many line feeds were written before it.
    pub(super) line_feeds: u64,
    /// The number of its first chunk.
    pub(super) first_seq: Seq,
    /// The number of its last.
    pub(super) last_seq: Seq,
    /// When its first chunk was written, in Unix milliseconds.
    pub(super) first_at_ms: u64,
    /// When its last was.
    pub(super) last_at_ms: u64,
}

/// What may be put into one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Merging {
    /// What was written to one stream within a second.
    OneStream,
    /// Whatever was written when: there are more records than output.
    Anything,
}

impl Record {
    /// How long the stretch is.
    pub(super) fn length(&self) -> u64 {
        self.bytes.total()
    }

    /// The byte behind its last.
    pub(super) fn end(&self) -> u64 {
        self.offset.saturating_add(self.length())
    }

    /// Takes on the one that follows it, if the two may be one.
    pub(super) fn merge(&mut self, next: &Self, merging: Merging) -> bool {
        let may = match merging {
            Merging::OneStream => {
                let within = self.first_at_ms..=self.first_at_ms.saturating_add(MAX_SPAN_MS);
                self.is_of_same_stream(next) && within.contains(&next.last_at_ms)
            }
            Merging::Anything => true,
        };
        if !may || self.length().saturating_add(next.length()) > MAX_LENGTH as u64 {
            return false;
        }
        add(&mut self.bytes, next.bytes);
        self.last_seq = next.last_seq;
        self.last_at_ms = next.last_at_ms;
        true
    }

    /// Leaves only so much of it: what was written of the rest is not there.
    pub(super) fn shorten(&mut self, length: u64) {
        let StreamBytes { stdout, stderr, pty } = &mut self.bytes;
        let mut left = length;
        for bytes in [stdout, stderr, pty] {
            *bytes = left.min(*bytes);
            left -= *bytes;
        }
    }

    /// Appends it as it stands in the file.
    pub(super) fn encode(&self, to: &mut Vec<u8>) {
        let StreamBytes { stdout, stderr, pty } = self.bytes;
        to.extend(MARK.to_le_bytes());
        for length in [stdout, stderr, pty] {
            // None is longer than `MAX_LENGTH`.
            to.extend(u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
        }
        let (first, last) = (self.first_seq.0, self.last_seq.0);
        let rest = [
            self.offset,
            self.line_feeds,
            first,
            last,
            self.first_at_ms,
            self.last_at_ms,
        ];
        for field in rest {
            to.extend(field.to_le_bytes());
        }
    }

    /// None if it is no record.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        if fields.u32()? != MARK {
            return None;
        }
        let bytes = StreamBytes {
            stdout: fields.u32()?.into(),
            stderr: fields.u32()?.into(),
            pty: fields.u32()?.into(),
        };
        let record = Self {
            bytes,
            offset: fields.u64()?,
            line_feeds: fields.u64()?,
            first_seq: Seq(fields.u64()?),
            last_seq: Seq(fields.u64()?),
            first_at_ms: fields.u64()?,
            last_at_ms: fields.u64()?,
        };
        (1..=MAX_LENGTH as u64)
            .contains(&record.length())
            .then_some(record)
    }

    fn is_of_same_stream(&self, next: &Self) -> bool {
        let mut both = self.bytes;
        add(&mut both, next.bytes);
        let StreamBytes { stdout, stderr, pty } = both;
        [stdout, stderr, pty].iter().filter(|&&bytes| bytes > 0).count() == 1
    }
}
