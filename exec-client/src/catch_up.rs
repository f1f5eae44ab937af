//! Events again from what `process/read` tells. Pure: no clock, no tasks, no I/O.
//!
//! A read gives the output it still has, each chunk with its number, and the state of the process.
//! It does not give the numbers of the exit and the close. They are told by what is missing:
//!
//! * Between the chunks of one page, and behind its last, nothing was evicted: what is missing there
//!   is the exit, and at the very end the close.
//! * Before a page's first chunk, output may have been evicted; the exit may be there too. A server
//!   that counts offsets tells the gap; what it does not tell as lost is not lost. The exit may still
//!   be within the gap. Of any other server everything is unclear that is missing there.
//! * What is unclear shows as soon as the exit turns up elsewhere, or nothing more is left to read.
//!   Until then the pages are held.

use exec_protocol::Seq;
use exec_protocol::process::{Chunk, Gap, ReadResult};

use crate::event::{CloseDetails, Event, ExitDetails};
use crate::position::Position;

/// Most pages that are held while the place of the exit is unclear.
///
/// Only a process whose leader ended while its descendants write as fast as we read gets here. The
/// place of its exit is then given up. A page is about 1 MiB.
const HELD_PAGES: usize = 16;

/// Most events of a process that are not output: the exit and the close.
const MARKS: u64 = 2;

/// The code of an exit whose code the server does not tell; none that a process can have.
const UNKNOWN_EXIT_CODE: i32 = -1;

/// Reads on from a position, until every event up to there has its place.
#[derive(Debug)]
pub(crate) struct CatchUp {
    position: Position,
    /// Whether the exit is before everything that is read here.
    exited: bool,
    held: Vec<Slot>,
    held_pages: usize,
}

/// What stands at one number, or at several.
#[derive(Debug)]
enum Slot {
    Output(Chunk),
    /// The exit or the close.
    Mark(Seq),
    /// From the first to the last: evicted, the exit, or both.
    Missing(Seq, Seq),
    /// From the first to the last: this many bytes were evicted, and there may be the exit.
    Lost(Seq, Seq, Option<u64>),
}

impl Slot {
    fn may_hold_exit(&self) -> bool {
        match self {
            Self::Output(_) | Self::Mark(_) => false,
            Self::Missing(..) => true,
            // A single number is that of the bytes.
            Self::Lost(from, to, _) => from < to,
        }
    }
}

/// Where the exit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// At, or in, the held slot with this index.
    Held(usize),
    /// Before what is held, or after it.
    Elsewhere,
    /// More has to be read to tell.
    Unclear,
}

impl CatchUp {
    /// Starts behind `position`. `exited` tells whether the exit is known already.
    pub(crate) fn new(position: Position, exited: bool) -> Self {
        Self {
            position,
            exited,
            held: Vec::new(),
            held_pages: 0,
        }
    }

    /// From where to read the next page.
    pub(crate) fn cursor(&self) -> Seq {
        self.position.seq()
    }

    /// Up to where everything was read.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// Takes the page after the cursor. Returns every event up to the new cursor, or None if the
    /// next page is needed first.
    pub(crate) fn page(&mut self, mut page: ReadResult) -> Option<Vec<Event>> {
        // A page holds at least one chunk if there is any.
        let is_last = page.chunks.is_empty();
        let end = End::told_by(&mut page);
        self.hold(page);
        let exit = if end.exit.is_some() && !self.exited {
            self.find_exit(end.close.is_some(), is_last)
        } else {
            Exit::Elsewhere
        };
        match exit {
            Exit::Unclear => None,
            Exit::Held(_) | Exit::Elsewhere => Some(self.events(exit, end)),
        }
    }

    fn hold(&mut self, page: ReadResult) {
        self.held_pages += 1;
        // With no output left, the close is the last there is.
        let is_at_close = page.closed && page.chunks.is_empty() && page.next_seq > self.position.next();
        let close = is_at_close.then(|| Seq(page.next_seq.0 - 1));
        let end = close.unwrap_or(page.next_seq);
        if let Some(gap) = page.gap {
            self.hold_gap(&gap, end);
        }
        let mut may_be_evicted = page.next_offset.is_none();
        for chunk in page.chunks {
            // A repetition; a server that sends one is told nothing by it.
            if chunk.seq < self.position.next() {
                continue;
            }
            self.hold_missing(chunk.seq, may_be_evicted);
            may_be_evicted = false;
            self.position
                .pass_output(chunk.seq, chunk.offset, chunk.chunk.0.len());
            self.held.push(Slot::Output(chunk));
        }
        self.hold_missing(end, may_be_evicted);
        if let Some(close) = close {
            self.position.pass_mark(close);
            self.held.push(Slot::Mark(close));
        }
    }

    /// This was told to be lost, as far as it lies before `end`.
    fn hold_gap(&mut self, gap: &Gap, end: Seq) {
        self.hold_missing(gap.from_seq, false);
        let from = self.position.next();
        let to = gap.to_seq.min(Seq(end.0.saturating_sub(1)));
        if from <= to {
            let bytes = self.position.pass_gap(&Gap { to_seq: to, ..*gap });
            self.held.push(Slot::Lost(from, to, bytes));
        }
    }

    /// Nothing was told from the position to before `end`.
    fn hold_missing(&mut self, end: Seq, may_be_evicted: bool) {
        let from = self.position.next();
        let missing = end.0.saturating_sub(from.0);
        if missing == 0 {
            return;
        }
        let to = Seq(end.0 - 1);
        // A server that leaves out more than there can be has lost it, whatever it says.
        if may_be_evicted || missing > MARKS {
            self.position.pass_unknown(to);
            self.held.push(Slot::Missing(from, to));
        } else {
            self.position.pass_mark(to);
            self.held.extend((from.0..end.0).map(|seq| Slot::Mark(Seq(seq))));
        }
    }

    fn find_exit(&self, closed: bool, is_last: bool) -> Exit {
        let first_mark = self.held.iter().position(|slot| matches!(slot, Slot::Mark(_)));
        // Among several, eviction explains an earlier one better: it takes the oldest.
        let missing = self.held.iter().rposition(Slot::may_hold_exit);
        match (first_mark, missing) {
            (None, None) => Exit::Elsewhere,
            (Some(mark), Some(missing)) if closed && mark + 1 == self.held.len() => {
                // The exit, or the close of a process whose exit is missing.
                if is_last {
                    Exit::Held(missing)
                } else {
                    Exit::Unclear
                }
            }
            (Some(mark), _) => Exit::Held(mark),
            (None, Some(missing)) if is_last || self.held_pages >= HELD_PAGES => Exit::Held(missing),
            (None, Some(_)) => Exit::Unclear,
        }
    }

    fn events(&mut self, place: Exit, end: End) -> Vec<Event> {
        let End { mut exit, mut close } = end;
        let last = self.held.len().saturating_sub(1);
        let mut events = Vec::with_capacity(self.held.len() + 1);
        for (index, slot) in self.held.drain(..).enumerate() {
            let exit = exit.take_if(|_| place == Exit::Held(index));
            match (slot, exit) {
                (
                    Slot::Output(Chunk {
                        seq, stream, chunk, ..
                    }),
                    _,
                ) => {
                    events.push(Event::Output {
                        seq,
                        stream,
                        bytes: chunk.0,
                    });
                }
                (Slot::Mark(seq), Some(exit)) => events.push(exit.at(seq)),
                (Slot::Mark(seq), None) => events.push(match close.take_if(|_| index == last) {
                    Some(details) => Event::Closed { seq, details },
                    None => Event::Gap {
                        from_seq: seq,
                        to_seq: seq,
                        bytes: None,
                    },
                }),
                (Slot::Missing(seq, to), Some(exit)) if seq == to => events.push(exit.at(seq)),
                (Slot::Missing(from_seq, to_seq), exit) => {
                    push_gap(&mut events, (from_seq, to_seq), None, exit);
                }
                (Slot::Lost(from_seq, to_seq, bytes), exit) => {
                    push_gap(&mut events, (from_seq, to_seq), bytes, exit);
                }
            }
        }
        events
    }
}

/// What a page tells of the exit and the close: everything but their numbers.
#[derive(Debug)]
struct End {
    exit: Option<Exited>,
    close: Option<Box<CloseDetails>>,
}

#[derive(Debug)]
struct Exited {
    exit_code: i32,
    details: Box<ExitDetails>,
}

impl End {
    fn told_by(page: &mut ReadResult) -> Self {
        let exit = page.exited.then(|| Exited {
            exit_code: page.exit_code.unwrap_or(UNKNOWN_EXIT_CODE),
            details: Box::new(ExitDetails {
                signal: page.signal.take(),
                end_reason: page.end_reason,
                ..ExitDetails::default()
            }),
        });
        let close = page.closed.then(|| {
            Box::new(CloseDetails {
                incomplete: page.incomplete,
                ..CloseDetails::default()
            })
        });
        Self { exit, close }
    }
}

impl Exited {
    fn at(self, seq: Seq) -> Event {
        Event::Exited {
            seq,
            exit_code: self.exit_code,
            details: self.details,
        }
    }
}

/// A gap, and the exit if it is somewhere in it.
fn push_gap(
    events: &mut Vec<Event>,
    (from_seq, to_seq): (Seq, Seq),
    bytes: Option<u64>,
    exit: Option<Exited>,
) {
    events.push(Event::Gap {
        from_seq,
        to_seq,
        bytes,
    });
    events.extend(exit.map(|exit| exit.at(to_seq)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Model;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        /// Whatever happened, was evicted, and fits a page: the events are the true ones, and the
        /// gaps the true ones.
        #[test]
        fn pages_give_the_events_back(
            model in Model::any(),
            last in any::<prop::sample::Index>(),
            pages in prop::collection::vec(1..40_usize, 40),
        ) {
            let last = last.index(usize::try_from(model.len()).unwrap() + 1) as u64;
            let exited = model.exit().is_some_and(|exit| exit <= last);
            let mut events = Vec::new();
            let mut catch_up = CatchUp::new(model.position(last), exited);
            for max_bytes in pages {
                let page = model.read(catch_up.cursor().0, model.len(), max_bytes);
                let nothing_new = page.next_seq == catch_up.cursor().next();
                if let Some(settled) = catch_up.page(page) {
                    events.extend(settled);
                    let exited = exited || events.iter().any(|event| matches!(event, Event::Exited { .. }));
                    catch_up = CatchUp::new(catch_up.position(), exited);
                }
                if nothing_new {
                    break;
                }
            }
            prop_assert_eq!(events, model.events_after(last));
        }
    }

    #[test]
    fn the_place_of_an_exit_is_given_up_before_too_much_is_held() {
        let mut position = Position::START;
        position.pass_mark(Seq(4));
        let mut catch_up = CatchUp::new(position, false);
        let mut pages = 0;
        let events = loop {
            pages += 1;
            let chunk = Chunk {
                seq: Seq(5 + pages),
                stream: exec_protocol::process::Stream::Stdout,
                offset: None,
                chunk: exec_protocol::Blob::default(),
            };
            let page = ReadResult {
                next_seq: chunk.seq.next(),
                chunks: vec![chunk],
                exited: true,
                exit_code: Some(0),
                ..ReadResult::default()
            };
            if let Some(events) = catch_up.page(page) {
                break events;
            }
        };
        assert_eq!(pages, HELD_PAGES as u64);
        assert_eq!(
            events[0],
            Event::Exited {
                seq: Seq(5),
                exit_code: 0,
                details: Box::default(),
            }
        );
        assert_eq!(events.len(), HELD_PAGES + 1);
    }
}
