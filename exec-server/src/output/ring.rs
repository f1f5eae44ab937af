//! What a process said, numbered and bounded. Pure: no clock, no tasks, no locks.

use std::collections::VecDeque;
use std::mem::size_of;

use exec_protocol::Seq;
use exec_protocol::process::Stream;

/// Payload of one segment, and so the longest chunk, in bytes.
///
/// One full read of a pipe; eviction takes whole segments, so it is also how coarse that is.
const SEGMENT_BYTES: usize = 64 << 10;

/// Entries of one segment.
///
/// Segments of one-byte chunks must not become much larger than others, or evicting one would
/// throw away far more than needed: 4,096 entries of four bytes are a quarter of a payload.
const SEGMENT_ENTRIES: usize = 4096;

/// First allocation for a segment's payload, in bytes: an idle shell prints a prompt, not 64 KiB.
const FIRST_ALLOCATION_BYTES: usize = 512;

/// What one entry of the ring is. Each has a number of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A chunk of output.
    Output(Stream),
    /// The leader's exit; no payload.
    Exited,
    /// The end of output; no payload.
    Closed,
}

/// An entry as a reader sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    pub(crate) seq: Seq,
    pub(crate) kind: Kind,
    pub(crate) bytes: &'a [u8],
}

/// Numbered entries, of which the newest are kept.
///
/// A chunk of the same stream grows until its number was told to somebody: while nobody looks,
/// many small writes become few chunks, and nobody ever sees a chunk change.
///
/// # Invariants
///
/// * Numbers are consecutive, from 1, over all entries ever pushed.
/// * The memory held, payload and index, is at most a quarter above the capacity, but for the
///   newest segment and for what a subscriber has not been sent yet.
#[derive(Debug)]
pub(crate) struct Ring {
    segments: VecDeque<Segment>,
    /// The number of the newest entry; 0 before the first.
    last: Seq,
    /// Whether the newest entry may still grow.
    open: bool,
    capacity: usize,
    payload: usize,
    memory: usize,
}

impl Ring {
    /// An empty ring that keeps `capacity` bytes of payload.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            segments: VecDeque::new(),
            last: Seq::ZERO,
            open: false,
            capacity,
            payload: 0,
            memory: 0,
        }
    }

    /// The number of the newest entry; 0 if there was none.
    pub(crate) fn last(&self) -> Seq {
        self.last
    }

    /// Appends output: to the newest chunk if it may grow, else as new ones of at most 64 KiB.
    pub(crate) fn push_output(&mut self, stream: Stream, mut bytes: &[u8]) {
        let kind = Kind::Output(stream);
        while !bytes.is_empty() {
            let grows = self.open && self.segments.back().is_some_and(|segment| segment.can_grow(kind));
            if !grows {
                self.start_entry(kind, bytes.len());
            }
            let taken = self.with_newest(|segment| segment.grow(bytes));
            self.payload += taken;
            bytes = &bytes[taken..];
        }
    }

    /// Appends an entry without payload.
    pub(crate) fn push_mark(&mut self, kind: Kind) {
        self.start_entry(kind, 0);
        self.open = false;
    }

    /// Entries with numbers above `after`, oldest first. What is told no longer grows.
    pub(crate) fn entries_after(&mut self, after: Seq) -> impl Iterator<Item = Entry<'_>> {
        self.seal();
        let older = self
            .segments
            .partition_point(|segment| segment.first <= after.next());
        self.segments
            .range(older.saturating_sub(1)..)
            .flat_map(move |segment| segment.entries_after(after))
    }

    /// Lets the newest entry grow no more: its number is about to be told.
    pub(crate) fn seal(&mut self) {
        self.open = false;
    }

    /// Drops the oldest segments until the ring is within its bounds again, but none that holds
    /// an entry above `sent`.
    pub(crate) fn evict(&mut self, sent: Option<Seq>) {
        while !self.is_within_bounds() && self.segments.len() > 1 {
            let next_first = self.segments[1].first;
            if sent.is_some_and(|sent| next_first > sent.next()) {
                return;
            }
            if let Some(segment) = self.segments.pop_front() {
                self.payload -= segment.payload.len();
                self.memory -= segment.memory();
            }
        }
    }

    /// Whether what is held fits the capacity. Right after [`evict`](Self::evict) it does, unless
    /// output that was not sent yet stands in the way.
    pub(crate) fn is_within_bounds(&self) -> bool {
        self.payload <= self.capacity && self.memory <= self.capacity + self.capacity / 4
    }

    fn start_entry(&mut self, kind: Kind, expected: usize) {
        if self.segments.back().is_none_or(Segment::is_full) {
            let segment = Segment::new(self.last.next(), expected);
            self.memory += segment.memory();
            self.segments.push_back(segment);
        }
        self.last = self.last.next();
        self.open = true;
        self.with_newest(|segment| segment.start(kind));
    }

    fn with_newest<T>(&mut self, change: impl FnOnce(&mut Segment) -> T) -> T {
        let segment = self.segments.back_mut().expect("an entry was started before");
        let before = segment.memory();
        let result = change(segment);
        self.memory += segment.memory() - before;
        result
    }
}

/// A run of entries whose payloads lie behind each other.
#[derive(Debug)]
struct Segment {
    /// The number of the first entry.
    first: Seq,
    payload: Vec<u8>,
    index: Vec<Mark>,
}

impl Segment {
    fn new(first: Seq, expected: usize) -> Self {
        let payload = Vec::with_capacity(expected.clamp(FIRST_ALLOCATION_BYTES, SEGMENT_BYTES));
        Self {
            first,
            payload,
            index: Vec::new(),
        }
    }

    fn is_full(&self) -> bool {
        self.payload.len() >= SEGMENT_BYTES || self.index.len() >= SEGMENT_ENTRIES
    }

    fn can_grow(&self, kind: Kind) -> bool {
        self.payload.len() < SEGMENT_BYTES && self.index.last().is_some_and(|mark| mark.kind() == kind)
    }

    fn start(&mut self, kind: Kind) {
        self.index.push(Mark::new(kind, self.payload.len()));
    }

    /// Appends as much of `bytes` as fits to the newest entry and says how much that was.
    fn grow(&mut self, bytes: &[u8]) -> usize {
        let fits = bytes.len().min(SEGMENT_BYTES - self.payload.len());
        let end = self.payload.len() + fits;
        if end > self.payload.capacity() {
            // Doubling, but never past the size of a segment, so that memory stays in proportion.
            let wanted = (self.payload.capacity() * 2).clamp(end, SEGMENT_BYTES);
            self.payload.reserve_exact(wanted - self.payload.len());
        }
        self.payload.extend_from_slice(&bytes[..fits]);
        if let Some(mark) = self.index.last_mut() {
            *mark = Mark::new(mark.kind(), end);
        }
        fits
    }

    /// Does not look at the entries it passes over: there may be thousands.
    fn entries_after(&self, after: Seq) -> impl Iterator<Item = Entry<'_>> {
        let passed_over = (after.0 + 1).saturating_sub(self.first.0);
        let skipped = usize::try_from(passed_over)
            .unwrap_or(usize::MAX)
            .min(self.index.len());
        let (before, index) = self.index.split_at(skipped);
        let mut start = before.last().map_or(0, |mark| mark.end());
        index
            .iter()
            .zip(self.first.0 + skipped as u64..)
            .map(move |(mark, seq)| {
                let bytes = &self.payload[start..mark.end()];
                start = mark.end();
                Entry {
                    seq: Seq(seq),
                    kind: mark.kind(),
                    bytes,
                }
            })
    }

    fn memory(&self) -> usize {
        size_of::<Self>() + self.payload.capacity() + self.index.capacity() * size_of::<Mark>()
    }
}

/// Where an entry's payload ends in its segment, and what the entry is, in four bytes.
#[derive(Debug, Clone, Copy)]
struct Mark(u32);

impl Mark {
    const KIND_SHIFT: u32 = 28;
    const END_MASK: u32 = (1 << Self::KIND_SHIFT) - 1;

    fn new(kind: Kind, end: usize) -> Self {
        let kind = match kind {
            Kind::Output(Stream::Stdout) => 0,
            Kind::Output(Stream::Stderr) => 1,
            Kind::Output(Stream::Pty) => 2,
            Kind::Exited => 3,
            Kind::Closed => 4,
        };
        let end = u32::try_from(end).expect("a segment is 64 KiB");
        Self(kind << Self::KIND_SHIFT | end)
    }

    fn end(self) -> usize {
        (self.0 & Self::END_MASK) as usize
    }

    fn kind(self) -> Kind {
        match self.0 >> Self::KIND_SHIFT {
            0 => Kind::Output(Stream::Stdout),
            1 => Kind::Output(Stream::Stderr),
            2 => Kind::Output(Stream::Pty),
            3 => Kind::Exited,
            _ => Kind::Closed,
        }
    }
}

const _: () = assert!(SEGMENT_BYTES <= Mark::END_MASK as usize);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every entry ever pushed, with nothing clever.
    #[derive(Default)]
    struct Model {
        entries: Vec<(Kind, Vec<u8>)>,
        sealed: usize,
    }

    impl Model {
        fn push(&mut self, stream: Stream, bytes: &[u8]) {
            let kind = Kind::Output(stream);
            let is_open = self.sealed < self.entries.len();
            match self.entries.last_mut() {
                Some((last, payload)) if *last == kind && is_open => payload.extend_from_slice(bytes),
                _ if bytes.is_empty() => {}
                _ => self.entries.push((kind, bytes.to_vec())),
            }
        }

        /// Bytes per stream, in order: what growing chunks must not change.
        fn stream(entries: &[(Kind, Vec<u8>)], wanted: Kind) -> Vec<u8> {
            entries
                .iter()
                .filter(|(kind, _)| *kind == wanted)
                .flat_map(|(_, bytes)| bytes.clone())
                .collect()
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Push(bool, usize),
        Read,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (any::<bool>(), prop_oneof![0..20_usize, 0..200_000_usize]).prop_map(|(err, len)| Step::Push(err, len)),
            1 => Just(Step::Read),
        ];
        prop::collection::vec(step, 0..60)
    }

    fn fill(len: usize, salt: usize) -> Vec<u8> {
        vec![u8::try_from(salt % 251).unwrap(); len]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_reader_that_follows_sees_every_byte_once_in_order_and_numbers_without_a_gap(steps in steps()) {
            let mut ring = Ring::new(usize::MAX / 2);
            let mut model = Model::default();
            let mut seen: Vec<(Kind, Vec<u8>)> = Vec::new();
            let mut cursor = Seq::ZERO;
            for (salt, step) in steps.iter().enumerate() {
                match step {
                    Step::Push(err, len) => {
                        let stream = if *err { Stream::Stderr } else { Stream::Stdout };
                        let bytes = fill(*len, salt);
                        ring.push_output(stream, &bytes);
                        model.push(stream, &bytes);
                    }
                    Step::Read => {
                        for entry in ring.entries_after(cursor) {
                            prop_assert_eq!(entry.seq, cursor.next());
                            prop_assert!(!entry.bytes.is_empty() && entry.bytes.len() <= SEGMENT_BYTES);
                            seen.push((entry.kind, entry.bytes.to_vec()));
                            cursor = entry.seq;
                        }
                        model.sealed = model.entries.len();
                    }
                }
            }
            seen.extend(ring.entries_after(cursor).map(|entry| (entry.kind, entry.bytes.to_vec())));
            for stream in [Stream::Stdout, Stream::Stderr] {
                let kind = Kind::Output(stream);
                prop_assert_eq!(Model::stream(&seen, kind), Model::stream(&model.entries, kind));
            }
            // Streams alternate in the model; so they must among the chunks.
            let mut seen_kinds: Vec<_> = seen.iter().map(|(kind, _)| *kind).collect();
            let mut model_kinds: Vec<_> = model.entries.iter().map(|(kind, _)| *kind).collect();
            seen_kinds.dedup();
            model_kinds.dedup();
            prop_assert_eq!(seen_kinds, model_kinds);
        }

        #[test]
        fn memory_stays_bounded_whatever_the_sizes(
            sizes in prop::collection::vec((any::<bool>(), prop_oneof![Just(1_usize), 1..5_000_usize, Just(65_536)]), 1..600),
        ) {
            let capacity = 256 << 10;
            let mut ring = Ring::new(capacity);
            let newest_segment = SEGMENT_BYTES + SEGMENT_ENTRIES * size_of::<Mark>() + size_of::<Segment>();
            for (err, len) in sizes {
                let stream = if err { Stream::Stderr } else { Stream::Stdout };
                ring.push_output(stream, &fill(len, len));
                ring.seal();
                ring.evict(None);
                prop_assert!(ring.memory <= capacity + capacity / 4 + newest_segment);
                let held: usize = ring.segments.iter().map(Segment::memory).sum();
                prop_assert_eq!(ring.memory, held);
            }
        }

        #[test]
        fn what_was_not_sent_is_never_evicted(sent in 0_u64..400, count in 400_u64..800) {
            let mut ring = Ring::new(SEGMENT_BYTES);
            for seq in 1..=count {
                ring.push_output(Stream::Stdout, &fill(1_000, 0));
                ring.seal();
                ring.evict(Some(Seq(sent.min(seq))));
            }
            let oldest = ring.segments.front().unwrap().first;
            prop_assert!(oldest <= Seq(sent).next());
            prop_assert!(!ring.is_within_bounds());
            ring.evict(Some(ring.last()));
            prop_assert!(ring.is_within_bounds());
        }
    }

    #[test]
    fn a_chunk_grows_until_it_is_told() {
        let mut ring = Ring::new(1 << 20);
        ring.push_output(Stream::Stdout, b"a");
        ring.push_output(Stream::Stdout, b"b");
        let told: Vec<_> = ring
            .entries_after(Seq::ZERO)
            .map(|entry| (entry.seq.0, entry.bytes.to_vec()))
            .collect();
        assert_eq!(told, [(1, b"ab".to_vec())]);
        ring.push_output(Stream::Stdout, b"c");
        ring.push_mark(Kind::Exited);
        ring.push_output(Stream::Stdout, b"d");
        ring.push_mark(Kind::Closed);
        let kinds: Vec<_> = ring
            .entries_after(Seq(1))
            .map(|entry| (entry.seq.0, entry.kind))
            .collect();
        let stdout = Kind::Output(Stream::Stdout);
        assert_eq!(
            kinds,
            [(2, stdout), (3, Kind::Exited), (4, stdout), (5, Kind::Closed)]
        );
    }
}
