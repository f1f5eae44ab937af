//! A server's view of one process, for tests: what happened, what is kept, and how it answers reads.

use bytes::Bytes;
use exec_protocol::process::{Chunk, EndReason, Gap, ReadResult, Stream};
use exec_protocol::{Blob, Seq};
use proptest::prelude::*;

use crate::event::{CloseDetails, Event, ExitDetails, Notice, What};
use crate::position::Position;

const EXIT_CODE: i32 = 143;

const SIGNAL: &str = "SIGTERM";

const END_REASON: EndReason = EndReason::Timeout;

/// As much of an exit as pages tell, too.
fn exited(seq: Seq) -> Event {
    Event::Exited {
        seq,
        exit_code: EXIT_CODE,
        details: Box::new(exit_details()),
    }
}

fn exit_details() -> ExitDetails {
    ExitDetails {
        signal: Some(SIGNAL.into()),
        end_reason: Some(END_REASON),
        ..ExitDetails::default()
    }
}

/// As much of a close as pages tell, too.
fn close_details() -> CloseDetails {
    CloseDetails {
        incomplete: true,
        ..CloseDetails::default()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Output { bytes: usize },
    Exited,
    Closed,
}

/// How far a page reaches that holds output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// To its last chunk.
    LastChunk,
    /// To before the next chunk that did not fit.
    NextChunk,
}

/// How a server tells what was evicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tells {
    /// Not at all.
    Nothing,
    /// As a gap from the first chunk that is lost.
    FromFirst,
    /// As a gap from the cursor on.
    FromCursor,
    /// As a gap from about here, at most from the cursor.
    FromBefore(u64),
}

#[derive(Debug, Clone)]
pub(crate) struct Model {
    kinds: Vec<Kind>,
    /// Output before this number was evicted.
    kept_from: u64,
    reach: Reach,
    tells: Tells,
}

impl Model {
    /// A server of any kind.
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        (Self::telling_gaps(), any::<bool>()).prop_map(|(model, is_exact)| Self {
            tells: if is_exact { model.tells } else { Tells::Nothing },
            ..model
        })
    }

    /// A server that counts offsets, and tells gaps.
    pub(crate) fn telling_gaps() -> impl Strategy<Value = Self> {
        let outputs = prop::collection::vec(1..20_usize, 0..12);
        let reach = prop_oneof![Just(Reach::LastChunk), Just(Reach::NextChunk)];
        let tells = prop_oneof![
            Just(Tells::FromFirst),
            Just(Tells::FromCursor),
            (1..6_u64).prop_map(Tells::FromBefore),
        ];
        let exit_at = any::<prop::sample::Index>();
        (outputs, exit_at, 0..3_u8, 0..16_u64, reach, tells).prop_map(
            |(outputs, exit_at, marks, kept_from, reach, tells)| {
                let mut kinds: Vec<_> = outputs.into_iter().map(|bytes| Kind::Output { bytes }).collect();
                if marks > 0 {
                    kinds.insert(exit_at.index(kinds.len() + 1), Kind::Exited);
                }
                if marks > 1 {
                    kinds.push(Kind::Closed);
                }
                Self {
                    kinds,
                    kept_from,
                    reach,
                    tells,
                }
            },
        )
    }

    pub(crate) fn keeping_all(self) -> Self {
        Self { kept_from: 0, ..self }
    }

    pub(crate) fn len(&self) -> u64 {
        self.kinds.len() as u64
    }

    /// The number of the exit, if there was one.
    pub(crate) fn exit(&self) -> Option<u64> {
        (1..=self.len()).find(|seq| self.kind(*seq) == Kind::Exited)
    }

    /// Where a reader stands that knows everything up to `last`.
    pub(crate) fn position(&self, last: u64) -> Position {
        let mut position = Position::START;
        for seq in 1..=last {
            match self.kind(seq) {
                Kind::Output { bytes } => position.pass_output(Seq(seq), None, bytes),
                Kind::Exited | Kind::Closed => position.pass_mark(Seq(seq)),
            }
        }
        position
    }

    /// What happened after `last`, as well as it can be told.
    pub(crate) fn events_after(&self, last: u64) -> Vec<Event> {
        let Some((from, to)) = self.missing_after(last) else {
            return (last + 1..=self.len()).map(|seq| self.event(seq)).collect();
        };
        let mut events: Vec<_> = (last + 1..from).map(|seq| self.event(seq)).collect();
        events.push(Event::Gap {
            from_seq: Seq(from),
            to_seq: Seq(to),
            bytes: (self.tells != Tells::Nothing).then(|| self.offset_of(to + 1) - self.offset_of(from)),
        });
        if self.exit().is_some_and(|exit| (from..=to).contains(&exit)) {
            events.push(exited(Seq(to)));
        }
        events.extend((to + 1..=self.len()).map(|seq| self.event(seq)));
        events
    }

    /// Among which numbers after `last` those are that were evicted.
    fn missing_after(&self, last: u64) -> Option<(u64, u64)> {
        let (first, to) = self.lost_after(last, self.len())?;
        match self.tells {
            Tells::FromFirst => Some((first, to)),
            Tells::FromCursor | Tells::FromBefore(_) => Some((last + 1, to)),
            Tells::Nothing => {
                let first_kept = (to..=self.len()).find(|seq| self.is_output(*seq) && !self.is_lost(*seq));
                let has_close = self.kinds.last() == Some(&Kind::Closed);
                let to = first_kept.map_or(self.len() - u64::from(has_close), |seq| seq - 1);
                Some((last + 1, to))
            }
        }
    }

    /// The first and the last chunk that were evicted, of those after `last`.
    fn lost_after(&self, last: u64, published: u64) -> Option<(u64, u64)> {
        let mut evicted = (last + 1..=published).filter(|seq| self.is_lost(*seq));
        let first = evicted.next()?;
        Some((first, evicted.next_back().unwrap_or(first)))
    }

    /// Whether the events are all there are, each once, in order, and no more is lost than was
    /// evicted.
    pub(crate) fn assert_told_by(&self, events: &[Event]) {
        let (mut next, mut gap_end, mut exits) = (1, 0, 0);
        for event in events {
            match *event {
                Event::Gap {
                    from_seq: Seq(from),
                    to_seq: Seq(to),
                    bytes,
                } => {
                    assert_eq!(from, next);
                    assert!((from..=to).all(|seq| self.is_lost(seq) || Some(seq) == self.exit()));
                    assert_eq!(bytes, Some(self.offset_of(to + 1) - self.offset_of(from)));
                    (next, gap_end) = (to + 1, to);
                }
                Event::Exited { seq: Seq(seq), .. } if seq < next => {
                    assert!(seq == gap_end && self.exit() <= Some(seq));
                    exits += 1;
                }
                _ => {
                    assert_eq!(*event, self.event(next));
                    assert!(!self.is_lost(next));
                    exits += u64::from(Some(next) == self.exit());
                    next += 1;
                }
            }
        }
        assert_eq!(next, self.len() + 1);
        assert_eq!(exits, u64::from(self.exit().is_some()));
    }

    /// The answer to a read at the moment when `published` events had happened.
    pub(crate) fn read(&self, after: u64, published: u64, max_bytes: usize) -> ReadResult {
        let mut chunks = Vec::new();
        let mut next_seq = after + 1;
        let mut room = max_bytes;
        for seq in after + 1..=published {
            match self.kind(seq) {
                Kind::Output { .. } if self.is_lost(seq) => {}
                Kind::Output { bytes } if bytes > room && !chunks.is_empty() => break,
                Kind::Output { bytes } => {
                    room = room.saturating_sub(bytes);
                    let chunk = Blob(self.bytes(seq));
                    let offset = (self.tells != Tells::Nothing).then(|| self.offset_of(seq));
                    chunks.push(Chunk {
                        seq: Seq(seq),
                        stream: Stream::Stdout,
                        offset,
                        chunk,
                    });
                }
                Kind::Exited | Kind::Closed => {}
            }
            next_seq = seq + 1;
        }
        if let (Reach::LastChunk, Some(last)) = (self.reach, chunks.last()) {
            next_seq = last.seq.0 + 1;
        }
        let exited = self.exit().is_some_and(|exit| exit <= published);
        let closed = published == self.len() && self.kinds.last() == Some(&Kind::Closed);
        let end_offset = self.offset_of(published + 1);
        let told = |offset| (self.tells != Tells::Nothing).then_some(offset);
        ReadResult {
            chunks,
            next_seq: Seq(next_seq),
            exited,
            exit_code: exited.then_some(EXIT_CODE),
            closed,
            next_offset: told(self.offset_of(next_seq)),
            first_seq: told(published + 1).map(Seq),
            first_offset: told(end_offset),
            end_offset: told(end_offset),
            gap: self.gap(after, published),
            signal: exited.then(|| SIGNAL.into()),
            end_reason: exited.then_some(END_REASON),
            incomplete: closed,
            ..ReadResult::default()
        }
    }

    /// What was evicted between the cursor and the oldest that is kept.
    fn gap(&self, after: u64, published: u64) -> Option<Gap> {
        let (first, to) = self.lost_after(after, published)?;
        let from = match self.tells {
            Tells::Nothing => return None,
            Tells::FromFirst => first,
            Tells::FromCursor => after + 1,
            Tells::FromBefore(from) => from.min(after + 1),
        };
        Some(self.gap_between(from, to))
    }

    fn gap_between(&self, from: u64, to: u64) -> Gap {
        Gap::new(Seq(from), Seq(to), self.offset_of(from), self.offset_of(to + 1))
    }

    /// How an event is told. What was evicted is told with everything that was evicted right before.
    pub(crate) fn notice(&self, seq: u64) -> Notice {
        if self.is_lost(seq) {
            let from = (1..=seq).rev().take_while(|seq| self.is_lost(*seq)).last();
            let gap = self.gap_between(from.unwrap(), seq);
            return Notice {
                seq: gap.from_seq,
                what: What::Gap(gap),
            };
        }
        let what = match self.kind(seq) {
            Kind::Output { .. } => What::Output {
                stream: Stream::Stdout,
                bytes: self.bytes(seq),
            },
            Kind::Exited => What::Exited {
                exit_code: EXIT_CODE,
                details: Box::new(exit_details()),
            },
            Kind::Closed => What::Closed {
                details: Box::new(close_details()),
            },
        };
        Notice { seq: Seq(seq), what }
    }

    fn event(&self, number: u64) -> Event {
        let seq = Seq(number);
        match self.kind(number) {
            Kind::Output { .. } => Event::Output {
                seq,
                stream: Stream::Stdout,
                bytes: self.bytes(number),
            },
            Kind::Exited => exited(seq),
            Kind::Closed => Event::Closed {
                seq,
                details: Box::new(close_details()),
            },
        }
    }

    fn bytes(&self, seq: u64) -> Bytes {
        let Kind::Output { bytes } = self.kind(seq) else {
            panic!("{seq} is no output")
        };
        vec![u8::try_from(seq).unwrap(); bytes].into()
    }

    /// The offset of an event's first byte.
    fn offset_of(&self, seq: u64) -> u64 {
        let before = self.kinds.iter().take(usize::try_from(seq).unwrap() - 1);
        before
            .map(|kind| match kind {
                Kind::Output { bytes } => *bytes as u64,
                Kind::Exited | Kind::Closed => 0,
            })
            .sum()
    }

    fn is_output(&self, seq: u64) -> bool {
        matches!(self.kind(seq), Kind::Output { .. })
    }

    fn is_lost(&self, seq: u64) -> bool {
        self.is_output(seq) && seq < self.kept_from
    }

    fn kind(&self, seq: u64) -> Kind {
        self.kinds[usize::try_from(seq).unwrap() - 1]
    }
}
