//! The answer to a read, now or as soon as there is one.

use std::time::Duration;

use exec_protocol::Seq;
use exec_protocol::envelope::ReadWriter;
use exec_protocol::process::{Gap, ReadResult};
use tokio::time::timeout;

use super::ring::{Cursor, Entry, SEGMENT_BYTES};
use super::{OutputLog, State, wait_until};
use crate::limits::MAX_READ_REPLY_BYTES;
use crate::rpc::spare;
use crate::sync::Woken;

/// JSON around the payload of one chunk in the answer to a read, in bytes, rounded up.
const CHUNK_JSON_BYTES: usize = 110;

/// What a read asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadRequest {
    pub(crate) after_seq: Option<Seq>,
    pub(crate) after_offset: Option<u64>,
    /// In bytes of payload.
    pub(crate) max_bytes: usize,
    pub(crate) wait: Duration,
    /// Whether the cursor says nothing about what the client has.
    pub(crate) is_peek: bool,
    /// Whether it is the client that asks whom the process belongs to.
    pub(crate) is_own: bool,
}

/// Why a read was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadError {
    /// The number was never told to anybody.
    #[error("the cursor {after} lies beyond {last}, the newest event")]
    SeqAhead { after: Seq, last: Seq },
    /// There was no such byte so far.
    #[error("the cursor {after} lies beyond {end}, the end of output so far")]
    OffsetAhead { after: u64, end: u64 },
    /// The process is not kept any longer.
    #[error("no such process")]
    Released,
}

impl OutputLog {
    /// Appends the result of a read to `out`, waiting for the first news behind its cursor for as long as it says.
    ///
    /// Answers at once if there is some, or if the process is closed.
    ///
    /// # Errors
    ///
    /// A [`ReadError`]; nothing was appended then.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the cursor is the caller's.
    pub(crate) async fn read(&self, request: ReadRequest, out: &mut Vec<u8>) -> Result<(), ReadError> {
        self.take_as_read(request);
        if !request.wait.is_zero() {
            let is_due = |state: &mut State| state.is_due(request).then_some(());
            let due = wait_until(&self.state, State::reader_list, is_due);
            // When the time is up, the answer is what there is.
            let _ = timeout(request.wait, due).await;
        }
        let mut state = self.lock();
        state.answer(request, out)?;
        let owner = request.is_own.then(|| state.tell_close()).flatten();
        drop(state);
        if let Some(owner) = owner {
            owner.wake();
        }
        Ok(())
    }

    /// Takes note that the client is told how far the process has come, in an answer: if it is closed, it is not to be
    /// kept for long.
    pub(crate) fn tell_close(&self) {
        let owner = self.lock().tell_close();
        if let Some(owner) = owner {
            owner.wake();
        }
    }

    /// Who asks for what follows a position has what comes before it.
    pub(super) fn take_as_read(&self, request: ReadRequest) {
        if request.is_peek {
            return;
        }
        self.change_for_owner(|state| {
            // What is refused says nothing about what the client has.
            if state.check(request).is_ok() {
                state.read_to = state.read_to.max(state.cursor(request).offset);
            }
        });
    }
}

impl State {
    /// Whom to wake when a client is told how far the process has come, in an answer.
    fn tell_close(&mut self) -> Option<Woken> {
        // Without a connection nobody may have got the answer.
        if self.ends.closed.is_none() || self.subscriber.is_none() || self.close_was_told {
            return None;
        }
        self.close_was_told = true;
        Some(self.owner.take())
    }

    fn cursor(&self, request: ReadRequest) -> Cursor {
        match request.after_offset {
            Some(offset) => self.ring.after_offset(offset),
            None => self.ring.after_seq(request.after_seq.unwrap_or_default()),
        }
    }

    /// Whether a read need not wait: there is news, or none will come, or it is to be refused.
    pub(super) fn is_due(&self, request: ReadRequest) -> bool {
        let end = self.ring.end();
        let is_news = match (request.after_offset, request.after_seq) {
            (None, after) => end.seq > after.unwrap_or_default(),
            (Some(offset), None) => end.offset > offset,
            (Some(offset), Some(after)) => {
                let exit = self.ends.exit.as_ref().map(|exit| exit.seq);
                let closed = self.ends.closed.as_ref().map(|closed| closed.seq);
                end.offset > offset || exit.max(closed).is_some_and(|seq| seq > after)
            }
        };
        is_news || self.ends.closed.is_some() || self.check(request).is_err()
    }

    fn check(&self, request: ReadRequest) -> Result<(), ReadError> {
        let end = self.ring.end();
        if self.is_discarded {
            return Err(ReadError::Released);
        }
        if let Some(after) = request.after_seq
            && after > end.seq
        {
            return Err(ReadError::SeqAhead { after, last: end.seq });
        }
        if let Some(after) = request.after_offset
            && after > end.offset
        {
            let end = end.offset;
            return Err(ReadError::OffsetAhead { after, end });
        }
        Ok(())
    }

    fn answer(&mut self, request: ReadRequest, out: &mut Vec<u8>) -> Result<(), ReadError> {
        self.check(request)?;
        let cursor = self.cursor(request);
        let gap = self.ring.gap_after(cursor).map(|gap| self.without_exit(gap));
        spare::reserve(out, self.length_of_answer(cursor, request.max_bytes));
        let start = out.len();
        let mut writer = ReadWriter::new(out);
        let mut left = request.max_bytes;
        let mut torn = None;
        for entry in self.ring.entries_from(cursor.offset) {
            let reply = writer.length() - start + entry.bytes.len().div_ceil(3) * 4 + CHUNK_JSON_BYTES;
            let is_too_long = reply > MAX_READ_REPLY_BYTES && !writer.is_empty();
            let bytes = match request.after_offset {
                _ if left == 0 || is_too_long => 0,
                Some(_) => left.min(entry.bytes.len()),
                // One whole chunk comes in any case.
                None if entry.bytes.len() <= left || writer.is_empty() => entry.bytes.len(),
                None => 0,
            };
            if bytes > 0 {
                writer.chunk(entry.seq, entry.stream, entry.offset, &entry.bytes[..bytes]);
                left = left.saturating_sub(bytes);
            }
            if bytes < entry.bytes.len() {
                torn = Some(before(entry, bytes));
                break;
            }
        }
        let next = torn.unwrap_or_else(|| self.ring.end());
        writer.finish(self.result(next, gap));
        self.ring.remember(next);
        self.answered_to = self.answered_to.max(next.offset);
        Ok(())
    }

    /// How long an answer becomes that has all it may have, in bytes, if its chunks are not small.
    fn length_of_answer(&self, cursor: Cursor, max_bytes: usize) -> usize {
        let (_, first_offset) = self.ring.first();
        let news = self.ring.end().offset - cursor.offset.max(first_offset);
        let bytes = usize::try_from(news).unwrap_or(usize::MAX).min(max_bytes);
        let length = bytes / 3 * 4 + (bytes / SEGMENT_BYTES + 4) * CHUNK_JSON_BYTES;
        length.min(MAX_READ_REPLY_BYTES)
    }

    /// The number of an exit is none that can be lost.
    fn without_exit(&self, gap: Gap) -> Gap {
        match &self.ends.exit {
            Some(exit) if exit.seq == gap.from_seq => {
                Gap::new(exit.seq.next(), gap.to_seq, gap.from_offset, gap.to_offset)
            }
            _ => gap,
        }
    }

    fn result(&self, next: Cursor, gap: Option<Gap>) -> ReadResult {
        let (first_seq, first_offset) = self.ring.first();
        let exit = self.ends.exit.as_ref().map(|exit| &exit.status);
        let closed = self.ends.closed.as_ref();
        ReadResult {
            chunks: Vec::new(),
            next_seq: next.seq.next(),
            exited: exit.is_some(),
            exit_code: exit.map(|exit| exit.code),
            closed: closed.is_some(),
            failure: closed.and_then(|closed| closed.facts.failure.clone()),
            sandbox_denied: false,
            next_offset: Some(next.offset),
            first_seq: Some(first_seq),
            first_offset: Some(first_offset),
            end_offset: Some(self.ring.end().offset),
            gap,
            signal: exit.and_then(|exit| exit.signal.clone()),
            end_reason: exit.map(|exit| exit.reason),
            incomplete: closed.is_some_and(|closed| closed.facts.incomplete),
        }
    }
}

/// Where a reader stands that got so many bytes of a chunk.
fn before(entry: Entry<'_>, bytes: usize) -> Cursor {
    Cursor {
        seq: Seq(entry.seq.0 - 1),
        offset: entry.offset + bytes as u64,
    }
}
