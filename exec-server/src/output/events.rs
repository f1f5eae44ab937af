//! What a connection is told of a process, in the order of its numbers. Pure.

use exec_protocol::Seq;
use exec_protocol::process::Gap;

use super::ring::{Cursor, Entry, Ring};

/// The events of a process that have no bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ends {
    pub(super) exit: Option<Exit>,
    /// The number of the close.
    pub(super) closed: Option<Seq>,
}

/// The leader's exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exit {
    pub(crate) seq: Seq,
    /// Bytes of output that came before it.
    pub(crate) offset: u64,
    pub(crate) code: i32,
}

/// One event, as it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    Output(Entry<'a>),
    /// Output that was dropped.
    Gap(Gap),
    Exited(Exit),
    Closed(Seq),
}

/// Everything behind a cursor: each number comes once, or lies in a gap, which never hides an exit.
#[derive(Debug)]
pub(super) struct Events<I> {
    cursor: Cursor,
    /// Where what is kept begins.
    kept_from: Cursor,
    entries: I,
    ends: Ends,
}

/// Everything behind `cursor`, which must be a position that was told.
pub(super) fn events_after(
    ring: &mut Ring,
    ends: Ends,
    cursor: Cursor,
) -> Events<impl Iterator<Item = Entry<'_>>> {
    Events {
        cursor,
        kept_from: ring.evicted(),
        entries: ring.entries_from(cursor.offset),
        ends,
    }
}

impl<'a, I: Iterator<Item = Entry<'a>>> Events<I> {
    /// Where a reader stands that got everything so far.
    pub(super) fn cursor(&self) -> Cursor {
        self.cursor
    }
}

impl<'a, I: Iterator<Item = Entry<'a>>> Iterator for Events<I> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        let next = self.cursor.seq.next();
        let exit = self.ends.exit.filter(|exit| exit.seq >= next);
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
        let closed = self.ends.closed.filter(|closed| *closed == next)?;
        self.cursor.seq = closed;
        Some(Event::Closed(closed))
    }
}
