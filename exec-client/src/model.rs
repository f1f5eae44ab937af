//! A server's view of one process, for tests: what happened, what is kept, and how it answers reads.

use bytes::Bytes;
use exec_protocol::process::{Chunk, ReadResult, Stream};
use exec_protocol::{Blob, Seq};
use proptest::prelude::*;

use crate::event::{Event, Notice, What};

pub(crate) const EXIT_CODE: i32 = 3;

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

#[derive(Debug, Clone)]
pub(crate) struct Model {
    kinds: Vec<Kind>,
    /// Output before this number was evicted.
    kept_from: u64,
    reach: Reach,
}

impl Model {
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        let outputs = prop::collection::vec(1..20_usize, 0..12);
        let reach = prop_oneof![Just(Reach::LastChunk), Just(Reach::NextChunk)];
        (outputs, any::<prop::sample::Index>(), 0..3_u8, 0..16_u64, reach).prop_map(
            |(outputs, exit_at, marks, kept_from, reach)| {
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

    /// What happened after `last`, as well as it can be told.
    pub(crate) fn events_after(&self, last: u64) -> Vec<Event> {
        let after = last + 1..=self.len();
        let is_output = |seq: u64| matches!(self.kind(seq), Kind::Output { .. });
        let first_kept = after
            .clone()
            .find(|seq| is_output(*seq) && *seq >= self.kept_from);
        let has_close = self.kinds.last() == Some(&Kind::Closed);
        let unsure_to = first_kept.map_or(self.len() - u64::from(has_close && last < self.len()), |seq| {
            seq - 1
        });
        if !(last + 1..=unsure_to).any(is_output) {
            return after.map(|seq| self.event(seq)).collect();
        }
        let mut events = vec![Event::Gap {
            from_seq: Seq(last + 1),
            to_seq: Seq(unsure_to),
        }];
        if self
            .exit()
            .is_some_and(|exit| (last + 1..=unsure_to).contains(&exit))
        {
            events.push(Event::Exited {
                seq: Seq(unsure_to),
                exit_code: EXIT_CODE,
            });
        }
        events.extend((unsure_to + 1..=self.len()).map(|seq| self.event(seq)));
        events
    }

    /// The answer to a read at the moment when `published` events had happened.
    pub(crate) fn read(&self, after: u64, published: u64, max_bytes: usize) -> ReadResult {
        let mut chunks = Vec::new();
        let mut next_seq = after + 1;
        let mut room = max_bytes;
        for seq in after + 1..=published {
            match self.kind(seq) {
                Kind::Output { .. } if seq < self.kept_from => {}
                Kind::Output { bytes } if bytes > room && !chunks.is_empty() => break,
                Kind::Output { bytes } => {
                    room = room.saturating_sub(bytes);
                    let chunk = Blob(self.bytes(seq));
                    chunks.push(Chunk {
                        seq: Seq(seq),
                        stream: Stream::Stdout,
                        offset: None,
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
        ReadResult {
            chunks,
            next_seq: Seq(next_seq),
            exited,
            exit_code: exited.then_some(EXIT_CODE),
            closed: published == self.len() && self.kinds.last() == Some(&Kind::Closed),
            failure: None,
            sandbox_denied: false,
            next_offset: None,
            first_seq: None,
            first_offset: None,
            end_offset: None,
            gap: None,
        }
    }

    pub(crate) fn notice(&self, seq: u64) -> Notice {
        let what = match self.kind(seq) {
            Kind::Output { .. } => What::Output {
                stream: Stream::Stdout,
                bytes: self.bytes(seq),
            },
            Kind::Exited => What::Exited { exit_code: EXIT_CODE },
            Kind::Closed => What::Closed,
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
            Kind::Exited => Event::Exited {
                seq,
                exit_code: EXIT_CODE,
            },
            Kind::Closed => Event::Closed { seq },
        }
    }

    fn bytes(&self, seq: u64) -> Bytes {
        let Kind::Output { bytes } = self.kind(seq) else {
            panic!("{seq} is no output")
        };
        vec![u8::try_from(seq).unwrap(); bytes].into()
    }

    fn kind(&self, seq: u64) -> Kind {
        self.kinds[usize::try_from(seq).unwrap() - 1]
    }
}
