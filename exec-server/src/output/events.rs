//! What a connection is told of a process, in the order of its numbers. Pure.

use std::sync::Arc;

use exec_protocol::Seq;
use exec_protocol::process::{EndReason, Gap, Holder, StreamBytes, Usage};

use super::ring::{Cursor, Entry, Ring};

/// The events of a process that have no bytes.
#[derive(Debug, Default)]
pub(super) struct Ends {
    pub(super) exit: Option<Exit>,
    pub(super) closed: Option<Closed>,
}

/// The leader's exit, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exit {
    pub(crate) seq: Seq,
    /// Bytes of output that came before it.
    pub(crate) offset: u64,
    pub(crate) status: ExitFacts,
}

/// How a leader ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExitFacts {
    /// The code, or 128+n for signal n.
    pub(crate) code: i32,
    /// The name of the signal that ended it.
    pub(crate) signal: Option<String>,
    pub(crate) reason: EndReason,
    /// The name of the client that asked for it.
    pub(crate) asked_by: Option<Arc<str>>,
    /// In Unix milliseconds.
    pub(crate) at_ms: u64,
}

#[cfg(test)]
impl ExitFacts {
    /// Those of a leader that ended by itself.
    pub(super) fn by_itself(code: i32) -> Self {
        Self {
            code,
            signal: None,
            reason: EndReason::Exited,
            asked_by: None,
            at_ms: 0,
        }
    }
}

/// The end of output, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closed {
    pub(crate) seq: Seq,
    pub(crate) bytes: StreamBytes,
    pub(crate) facts: CloseFacts,
}

/// What a closed process comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct CloseFacts {
    /// In Unix milliseconds.
    pub(crate) at_ms: u64,
    pub(crate) cpu: Option<Usage>,
    pub(crate) max_rss_bytes: Option<u64>,
    /// Whether the end of output was not waited for, or output could not be read.
    pub(crate) incomplete: bool,
    /// Why it could not be read.
    pub(crate) failure: Option<String>,
    /// Who held it then.
    pub(crate) held_by: Vec<Holder>,
}

/// One event, as it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    Output(Entry<'a>),
    /// Output that was dropped.
    Gap(Gap),
    Exited(&'a Exit),
    Closed(&'a Closed),
}

/// Everything behind a cursor: each number comes once, or lies in a gap, which never hides an exit.
#[derive(Debug)]
pub(super) struct Events<'a, I> {
    cursor: Cursor,
    /// Where what is kept begins.
    kept_from: Cursor,
    entries: I,
    ends: &'a Ends,
}

/// Everything behind `cursor`, which must be a position that was told.
pub(super) fn events_after<'a>(
    ring: &'a mut Ring,
    ends: &'a Ends,
    cursor: Cursor,
) -> Events<'a, impl Iterator<Item = Entry<'a>>> {
    Events {
        cursor,
        kept_from: ring.evicted(),
        entries: ring.entries_from(cursor.offset),
        ends,
    }
}

impl<'a, I: Iterator<Item = Entry<'a>>> Events<'a, I> {
    /// Where a reader stands that got everything so far.
    pub(super) fn cursor(&self) -> Cursor {
        self.cursor
    }
}

impl<'a, I: Iterator<Item = Entry<'a>>> Iterator for Events<'a, I> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        let next = self.cursor.seq.next();
        let ends = self.ends;
        let exit = ends.exit.as_ref().filter(|exit| exit.seq >= next);
        if let Some(exit) = exit
            && exit.seq == next
        {
            self.cursor.seq = next;
            return Some(Event::Exited(exit));
        }
        if self.cursor.offset < self.kept_from.offset {
            let to = match exit {
                Some(exit) if exit.seq <= self.kept_from.seq => Cursor {
                    seq: Seq(exit.seq.0 - 1),
                    offset: exit.offset,
                },
                _ => self.kept_from,
            };
            let gap = Gap::new(next, to.seq, self.cursor.offset, to.offset);
            self.cursor = to;
            return Some(Event::Gap(gap));
        }
        if let Some(entry) = self.entries.next() {
            self.cursor = entry.end();
            return Some(Event::Output(entry));
        }
        let closed = ends.closed.as_ref().filter(|closed| closed.seq == next)?;
        self.cursor.seq = closed.seq;
        Some(Event::Closed(closed))
    }
}
