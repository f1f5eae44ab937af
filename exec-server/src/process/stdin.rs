//! What was accepted for a process's stdin and not yet written. Pure.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, RandomState};

use bytes::{Buf as _, BytesMut};
use exec_protocol::WriteId;

use crate::limits::{MAX_STDIN_QUEUE_BYTES, REMEMBERED_WRITE_IDS};

/// What a process has for a stdin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StdinKind {
    /// `/dev/null`.
    None,
    /// A pipe: its end of file is its closing, once.
    Pipe,
    /// A terminal: its end of file is a character, and more may follow.
    Terminal,
}

/// Why a write was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StdinRefusal {
    /// There is no stdin, or not any more.
    #[error("the process has no stdin, or not any more")]
    Closed,
    /// The queue is full, or a write that came before and was refused has not come again.
    #[error("the process does not read its stdin and its queue is full; repeat this write before any other")]
    Full,
    /// The id was used for other bytes.
    #[error("the write id was used for other bytes")]
    IdReused,
    /// Some writes say where they belong, and this or another one does not.
    #[error("either all writes to a process have an offset, or none has")]
    Mixed,
}

/// How much of a write was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// Bytes of it that were taken, now or before.
    pub(crate) bytes: usize,
    /// Whether that is all, the end of file included.
    pub(crate) is_all: bool,
}

/// What is to be written next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<'a> {
    Bytes(&'a [u8]),
    EndOfFile,
}

/// A bounded queue before a process's stdin. Writes are taken whole or refused, and never reordered:
/// after a refusal nothing is taken until the refused write comes again.
#[derive(Debug)]
pub(crate) struct StdinQueue {
    kind: StdinKind,
    queue: BytesMut,
    /// Bytes that left the queue so far.
    written: u64,
    /// Positions of the ends of file, counted like `written`.
    ends: VecDeque<u64>,
    recent: RecentWrites,
    refused: Option<Identity>,
    is_in_mid_line: bool,
    /// Whether writes say where they belong, once there was one.
    has_offsets: Option<bool>,
    /// Where a write that said so has put the last end of file.
    ended_at: Option<u64>,
}

/// What a write is recognised by when it comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Identity {
    Named(WriteId),
    Nameless(Fingerprint),
}

/// Stands for a write's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fingerprint(u64);

impl StdinQueue {
    pub(crate) fn new(kind: StdinKind) -> Self {
        Self {
            kind,
            queue: BytesMut::new(),
            written: 0,
            ends: VecDeque::new(),
            recent: RecentWrites::default(),
            refused: None,
            is_in_mid_line: false,
            has_offsets: None,
            ended_at: None,
        }
    }

    /// Takes the bytes, and an end of file behind them if `eof`, or refuses both.
    ///
    /// # Errors
    ///
    /// A [`StdinRefusal`]; nothing was taken then.
    pub(crate) fn write(&mut self, id: Option<WriteId>, bytes: &[u8], eof: bool) -> Result<(), StdinRefusal> {
        let content = self.recent.fingerprint(bytes, eof);
        if let Some(known) = id.as_ref().and_then(|id| self.recent.get(id)) {
            return if known == content {
                Ok(())
            } else {
                Err(StdinRefusal::IdReused)
            };
        }
        if !self.is_open() {
            return Err(StdinRefusal::Closed);
        }
        self.check_offsets(false)?;
        let identity = id.clone().map_or(Identity::Nameless(content), Identity::Named);
        if self.refused.as_ref().is_some_and(|refused| *refused != identity) {
            return Err(StdinRefusal::Full);
        }
        if !self.has_room_for(bytes.len()) {
            self.refused = Some(identity);
            return Err(StdinRefusal::Full);
        }
        self.refused = None;
        self.queue.extend_from_slice(bytes);
        if eof {
            self.push_end();
        }
        if let Some(id) = id {
            self.recent.remember(id, content);
        }
        Ok(())
    }

    /// Takes as many bytes as there is room for, the first of which belongs at `offset`, and an end of file behind
    /// them if `eof` and all were taken. What was taken before is skipped, and nothing is taken beyond a gap.
    ///
    /// # Errors
    ///
    /// A [`StdinRefusal`]; nothing was taken then.
    pub(crate) fn write_at(
        &mut self,
        id: Option<WriteId>,
        offset: u64,
        bytes: &[u8],
        eof: bool,
    ) -> Result<Accepted, StdinRefusal> {
        let content = self.recent.fingerprint(bytes, eof);
        let known = id.as_ref().and_then(|id| self.recent.get(id));
        if known.is_some_and(|known| known != content) {
            return Err(StdinRefusal::IdReused);
        }
        self.check_offsets(true)?;
        let accepted = self.take_at(offset, bytes, eof)?;
        if let Some(id) = id.filter(|_| accepted.is_all && known.is_none()) {
            self.recent.remember(id, content);
        }
        Ok(accepted)
    }

    fn take_at(&mut self, offset: u64, bytes: &[u8], eof: bool) -> Result<Accepted, StdinRefusal> {
        let taken = self.taken();
        if !self.is_open() && taken == 0 && self.ended_at.is_none() {
            // Nothing can come again where nothing was taken.
            return Err(StdinRefusal::Closed);
        }
        let known = match taken.checked_sub(offset) {
            Some(known) => usize::try_from(known).unwrap_or(usize::MAX).min(bytes.len()),
            None if self.is_open() => {
                return Ok(Accepted {
                    bytes: 0,
                    is_all: false,
                });
            }
            None => return Err(StdinRefusal::Closed),
        };
        let news = &bytes[known..];
        // An end that lies before what was taken, or was given there, is as little news as bytes are.
        let is_end_news = eof && offset + bytes.len() as u64 == taken && self.ended_at != Some(taken);
        if news.is_empty() && !(is_end_news && self.is_open()) {
            return Ok(Accepted {
                bytes: bytes.len(),
                is_all: true,
            });
        }
        if !self.is_open() {
            return Err(StdinRefusal::Closed);
        }
        let room = MAX_STDIN_QUEUE_BYTES.saturating_sub(self.queue.len() + self.ends.len());
        let news = &news[..room.min(news.len())];
        self.queue.extend_from_slice(news);
        let is_all = known + news.len() == bytes.len();
        if is_all && eof {
            self.push_end();
            self.ended_at = Some(self.taken());
        }
        Ok(Accepted {
            bytes: known + news.len(),
            is_all,
        })
    }

    fn check_offsets(&mut self, has_offset: bool) -> Result<(), StdinRefusal> {
        if *self.has_offsets.get_or_insert(has_offset) == has_offset {
            Ok(())
        } else {
            Err(StdinRefusal::Mixed)
        }
    }

    /// Puts an end of file behind what was accepted. False if there is no stdin to end.
    ///
    /// # Errors
    ///
    /// [`StdinRefusal::Full`] if there is no room, or a write that was refused has not come again: its
    /// bytes belong before the end.
    pub(crate) fn end(&mut self) -> Result<bool, StdinRefusal> {
        match self.kind {
            StdinKind::None => return Ok(false),
            StdinKind::Pipe if !self.is_open() => return Ok(true),
            StdinKind::Pipe | StdinKind::Terminal => {}
        }
        // On a terminal it is a character in the queue, and counts as one.
        if self.refused.is_some() || !self.has_room_for(1) {
            return Err(StdinRefusal::Full);
        }
        self.push_end();
        Ok(true)
    }

    /// What is to be written next, if anything.
    pub(crate) fn next(&self) -> Option<Next<'_>> {
        let bytes = match self.ends.front() {
            Some(end) if *end == self.written => return Some(Next::EndOfFile),
            Some(end) => {
                let until_end = usize::try_from(end - self.written).unwrap_or(usize::MAX);
                &self.queue[..until_end.min(self.queue.len())]
            }
            None => &self.queue[..],
        };
        (!bytes.is_empty()).then_some(Next::Bytes(bytes))
    }

    /// Whether what was written last did not end a line. On a terminal in canonical mode an end of
    /// file then only hands the line on, and a second one is needed.
    pub(crate) fn is_in_mid_line(&self) -> bool {
        self.is_in_mid_line
    }

    /// Takes note that so many of the next bytes were written.
    pub(crate) fn advance(&mut self, bytes: usize) {
        if let Some(last) = bytes.checked_sub(1).and_then(|last| self.queue.get(last)) {
            // Beside the newline there are keys that end a line, or throw it away.
            self.is_in_mid_line = !last.is_ascii_control();
        }
        self.queue.advance(bytes);
        self.written += bytes as u64;
        if self.queue.is_empty() {
            // A queue that was full once is not a reason to hold on to its memory.
            self.queue = BytesMut::new();
        }
    }

    /// Takes note that the line was handed on, without its end.
    pub(crate) fn hand_line_on(&mut self) {
        self.is_in_mid_line = false;
    }

    /// Takes note that the end of file was given.
    pub(crate) fn pass_end(&mut self) {
        self.is_in_mid_line = false;
        self.ends.pop_front();
    }

    /// Nothing can be written any more: what is left is dropped, and later writes are refused.
    pub(crate) fn close(&mut self) {
        self.kind = StdinKind::None;
        self.queue = BytesMut::new();
        self.ends.clear();
    }

    fn is_open(&self) -> bool {
        match self.kind {
            StdinKind::None => false,
            StdinKind::Pipe => self.ends.is_empty(),
            StdinKind::Terminal => true,
        }
    }

    fn has_room_for(&self, bytes: usize) -> bool {
        let queued = self.queue.len() + self.ends.len();
        queued == 0 || queued + bytes <= MAX_STDIN_QUEUE_BYTES
    }

    fn push_end(&mut self) {
        self.ends.push_back(self.taken());
    }

    /// Bytes that were taken so far.
    fn taken(&self) -> u64 {
        self.written + self.queue.len() as u64
    }
}

/// The newest write ids, with what they stood for.
#[derive(Debug, Default)]
struct RecentWrites {
    known: HashMap<WriteId, Fingerprint>,
    /// Oldest first.
    order: VecDeque<WriteId>,
    hasher: RandomState,
}

impl RecentWrites {
    fn fingerprint(&self, bytes: &[u8], eof: bool) -> Fingerprint {
        Fingerprint(self.hasher.hash_one((bytes, eof)))
    }

    fn get(&self, id: &WriteId) -> Option<Fingerprint> {
        self.known.get(id).copied()
    }

    fn remember(&mut self, id: WriteId, content: Fingerprint) {
        if self.order.len() == REMEMBERED_WRITE_IDS
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(id.clone());
        self.known.insert(id, content);
    }
}

#[cfg(test)]
mod tests;
