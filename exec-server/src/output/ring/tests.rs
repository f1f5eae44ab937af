//! The ring against a model that keeps everything.

use super::*;
use proptest::prelude::*;

/// Everything ever said, with nothing clever.
#[derive(Debug, Default)]
struct Model {
    bytes: Vec<u8>,
    streams: Vec<Stream>,
    /// Numbers of events without bytes.
    marks: Vec<u64>,
    /// Numbers that were told, and where their chunks ended.
    told: Vec<Cursor>,
}

impl Model {
    fn push(&mut self, stream: Stream, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.streams.resize(self.bytes.len(), stream);
    }

    /// Checks what follows `cursor` in the ring, and gives where a reader of it stands afterwards.
    fn check_behind(&mut self, ring: &mut Ring, cursor: Cursor) -> Result<(), TestCaseError> {
        let gap = ring.gap_after(cursor);
        let mut at = cursor;
        if let Some(gap) = gap {
            prop_assert_eq!(
                (gap.from_seq, gap.from_offset),
                (cursor.seq.next(), cursor.offset)
            );
            prop_assert_eq!(gap.bytes, gap.to_offset - gap.from_offset);
            at = Cursor {
                seq: gap.to_seq,
                offset: gap.to_offset,
            };
        }
        for entry in ring.entries_from(cursor.offset) {
            while self.marks.contains(&(at.seq.0 + 1)) {
                at.seq = at.seq.next();
            }
            prop_assert_eq!((entry.seq, entry.offset), (at.seq.next(), at.offset));
            let from = usize::try_from(entry.offset).unwrap();
            let range = from..from + entry.bytes.len();
            prop_assert!(!entry.bytes.is_empty() && entry.bytes.len() <= SEGMENT_BYTES);
            prop_assert!(self.bytes[range.clone()] == *entry.bytes);
            prop_assert!(self.streams[range].iter().all(|stream| *stream == entry.stream));
            at = entry.end();
            if !self.told.contains(&at) {
                self.told.push(at);
            }
        }
        prop_assert_eq!(at.offset, self.bytes.len() as u64);
        prop_assert_eq!(ring.end().offset, at.offset);
        Ok(())
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// So many bytes to stdout, or to stderr.
    Push(bool, usize),
    /// A full read.
    Whole,
    Mark,
    /// Reads from a position that was told, or from the beginning.
    Read(prop::sample::Index),
    /// Evicts everything before a position that was told.
    Evict(prop::sample::Index),
    EvictAll,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (any::<bool>(), prop_oneof![0..20_usize, 0..5_000_usize, 0..40_000_usize]).prop_map(|(err, len)| Step::Push(err, len)),
        2 => Just(Step::Whole),
        1 => Just(Step::Mark),
        4 => any::<prop::sample::Index>().prop_map(Step::Read),
        1 => any::<prop::sample::Index>().prop_map(Step::Evict),
        2 => Just(Step::EvictAll),
    ];
    prop::collection::vec(step, 0..60)
}

fn capacity() -> impl Strategy<Value = usize> {
    prop_oneof![Just(MIN_CAPACITY), Just(100_000_usize), Just(1 << 20)]
}

fn fill(len: usize, salt: usize) -> Vec<u8> {
    (0..len)
        .map(|at| u8::try_from((at + salt) % 251).unwrap())
        .collect()
}

fn held(ring: &Ring) -> usize {
    ring.segments.iter().map(Segment::memory).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn behind_any_position_that_was_told_lies_a_gap_and_then_every_byte(capacity in capacity(), steps in steps()) {
        let mut ring = Ring::new(capacity);
        let mut model = Model { told: vec![Cursor::default()], ..Model::default() };
        for (salt, step) in steps.iter().enumerate() {
            match step {
                Step::Push(err, len) => {
                    let stream = if *err { Stream::Stderr } else { Stream::Stdout };
                    let bytes = fill(*len, salt);
                    ring.push(stream, &bytes);
                    model.push(stream, &bytes);
                }
                Step::Whole => {
                    let bytes = fill(SEGMENT_BYTES, salt);
                    model.push(Stream::Stdout, &bytes);
                    ring.push_buffer(Stream::Stdout, bytes);
                }
                Step::Mark => model.marks.push(ring.mark().0),
                Step::Read(index) => {
                    let from = *index.get(&model.told);
                    // What is kept is found by either coordinate, exactly.
                    if from.offset >= ring.first().1 {
                        let by_seq = ring.after_seq(from.seq);
                        prop_assert_eq!(by_seq, from);
                        prop_assert_eq!(ring.after_offset(from.offset).offset, from.offset);
                    }
                    model.check_behind(&mut ring, from)?;
                }
                Step::Evict(index) => {
                    let floor = index.get(&model.told).offset;
                    let was_kept = ring.first().1 <= floor;
                    ring.evict(Some(floor), drop);
                    prop_assert!(!was_kept || ring.first().1 <= floor);
                }
                Step::EvictAll => {
                    ring.evict(None, drop);
                    prop_assert!(ring.memory() <= capacity + capacity / 4, "{} of {capacity}", ring.memory());
                    prop_assert!(ring.is_within_bounds());
                }
            }
            prop_assert_eq!(ring.memory, held(&ring));
        }
        model.check_behind(&mut ring, Cursor::default())?;
    }

    #[test]
    fn a_position_of_which_one_half_is_forgotten_is_never_given_too_late(
        lens in prop::collection::vec(1..20_000_usize, 1..200),
        asked in any::<prop::sample::Index>(),
    ) {
        let mut ring = Ring::new(MIN_CAPACITY);
        let mut told = vec![Cursor::default()];
        for len in lens {
            ring.push(Stream::Pty, &fill(len, 0));
            let from = told[told.len() - 1].offset.max(ring.first().1);
            told.extend(ring.entries_from(from).map(|entry| entry.end()));
            ring.evict(None, drop);
        }
        let cursor = *asked.get(&told);
        let (by_seq, by_offset) = (ring.after_seq(cursor.seq), ring.after_offset(cursor.offset));
        prop_assert!(by_seq.seq <= cursor.seq && by_seq.offset <= cursor.offset);
        prop_assert!(by_offset.seq <= cursor.seq && by_offset.offset == cursor.offset);
        // As long as the history reaches back, it is exact.
        let history = ring.evicted().offset.saturating_sub(MIN_CAPACITY as u64);
        if cursor.offset >= history {
            prop_assert_eq!((by_seq, by_offset), (cursor, cursor));
        }
    }

    #[test]
    fn memory_stays_bounded_whatever_the_sizes(
        sizes in prop::collection::vec((any::<bool>(), prop_oneof![Just(1_usize), 1..5_000_usize, Just(65_536)]), 1..300),
    ) {
        let capacity = 256 << 10;
        let mut ring = Ring::new(capacity);
        for (err, len) in sizes {
            let stream = if err { Stream::Stderr } else { Stream::Stdout };
            ring.push(stream, &fill(len, len));
            ring.seal();
            ring.evict(None, drop);
            prop_assert!(ring.memory() <= capacity + capacity / 4);
            prop_assert_eq!(ring.memory, held(&ring));
        }
    }

    #[test]
    fn a_position_told_in_an_answer_is_remembered_however_much_follows(len in 1..5_000_usize, flood in 0..200_usize) {
        let mut ring = Ring::new(MIN_CAPACITY);
        ring.push(Stream::Stdout, &fill(len, 0));
        let told = ring.entries_from(0).last().unwrap().end();
        ring.remember(told);
        for salt in 0..flood {
            ring.push(Stream::Stderr, &fill(9_000, salt));
            ring.evict(None, drop);
        }
        prop_assert_eq!(ring.after_seq(told.seq), told);
        prop_assert_eq!(ring.after_offset(told.offset), told);
    }
}

#[test]
fn a_chunk_grows_until_it_is_told() {
    let mut ring = Ring::new(1 << 20);
    ring.push(Stream::Stdout, b"a");
    ring.push(Stream::Stdout, b"b");
    let told: Vec<_> = ring
        .entries_from(0)
        .map(|entry| (entry.seq.0, entry.bytes.to_vec()))
        .collect();
    assert_eq!(told, [(1, b"ab".to_vec())]);
    ring.push(Stream::Stdout, b"c");
    assert_eq!(ring.mark(), Seq(3));
    ring.push(Stream::Stdout, b"d");
    let told: Vec<_> = ring
        .entries_from(2)
        .map(|entry| (entry.seq.0, entry.offset, entry.bytes.to_vec()))
        .collect();
    assert_eq!(told, [(2, 2, b"c".to_vec()), (4, 3, b"d".to_vec())]);
}

#[test]
fn a_full_read_becomes_a_segment_and_its_buffer_comes_back() {
    let mut ring = Ring::new(1 << 20);
    let mut returned = 0;
    for _ in 0..40 {
        assert!(ring.push_buffer(Stream::Stdout, vec![7; SEGMENT_BYTES]).is_none());
        ring.evict(None, |buffer| {
            assert_eq!(buffer.len(), SEGMENT_BYTES);
            returned += 1;
        });
    }
    assert_eq!(ring.first().1 / SEGMENT_BYTES as u64, returned);
    assert!(returned >= 40 - 16);
    // A ring whose segments are smaller copies, and gives the buffer back.
    let mut small = Ring::new(MIN_CAPACITY);
    assert!(
        small
            .push_buffer(Stream::Stdout, vec![7; SEGMENT_BYTES])
            .is_some()
    );
    assert_eq!(small.end().offset, SEGMENT_BYTES as u64);
}
