//! What it costs to keep output and to find it again: the ring of one process, at the size that it has by default.
//!
//! ```console
//! cargo bench -p exec-server --bench ring
//! ```

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use exec_protocol::Seq;
use exec_protocol::process::Stream;
use exec_server::limits::RETAIN_BYTES;

use output::ring::{Ring, SEGMENT_BYTES};

/// The library keeps the ring to itself; it needs nothing else of the library, and so it is compiled into this as well.
#[path = "../src/output"]
mod output {
    #[expect(
        dead_code,
        reason = "only a part of it is measured, and its tests' helpers are here without the tests"
    )]
    pub(crate) mod ring;
}

/// A line of a log.
const LINE: &[u8] = &[b'l'; 100];

/// Positions that are looked up in turn: too many for the processor to learn the way to each.
const POSITIONS: u64 = 4096;

/// Chunks that a follower is behind who was told of none of them yet.
const BEHIND_CHUNKS: u64 = 100;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    push(&mut criterion);
    follow(&mut criterion);
    look_up(&mut criterion);
    criterion.final_summary();
}

/// Output comes in, and the oldest makes room for it.
fn push(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ring/push");
    group.throughput(Throughput::Elements(1));
    group.bench_function("1 byte, streams in turns", |bencher| {
        let mut ring = full_of_bytes();
        let mut streams = streams_in_turns();
        bencher.iter(|| {
            ring.push(streams(), black_box(b"x"));
            ring.evict(None, drop);
        });
    });
    group.bench_function("100 bytes", |bencher| {
        let mut ring = Ring::new(RETAIN_BYTES);
        bencher.iter(|| {
            ring.push(Stream::Stdout, black_box(LINE));
            ring.evict(None, drop);
        });
    });

    group.throughput(Throughput::Bytes(SEGMENT_BYTES as u64));
    group.bench_function("64 KiB, copied", |bencher| {
        let mut ring = Ring::new(RETAIN_BYTES);
        let bytes = vec![b'x'; SEGMENT_BYTES];
        bencher.iter(|| {
            ring.push(Stream::Stdout, black_box(&bytes));
            ring.evict(None, drop);
        });
    });

    // Does not touch the bytes, so that there is no sense in telling how many they are.
    group.throughput(Throughput::Elements(1));
    group.bench_function("64 KiB, moved", |bencher| {
        let mut ring = Ring::new(RETAIN_BYTES);
        let mut spare = None;
        bencher.iter(|| {
            let buffer = spare.take().unwrap_or_else(|| vec![0; SEGMENT_BYTES]);
            let rejected = ring.push_buffer(Stream::Stdout, black_box(buffer));
            assert!(rejected.is_none(), "a full buffer makes a segment");
            ring.evict(None, |evicted| spare = Some(evicted));
        });
    });
    group.finish();
}

/// Somebody is told what is new.
fn follow(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ring/follow");
    group.throughput(Throughput::Elements(1));
    group.bench_function("every line of 100 bytes", |bencher| {
        let mut ring = Ring::new(RETAIN_BYTES);
        let mut read_to = 0;
        bencher.iter(|| {
            ring.push(Stream::Stdout, black_box(LINE));
            for entry in ring.entries_from(read_to) {
                read_to = black_box(entry).end().offset;
            }
            ring.evict(None, drop);
        });
        assert_eq!(read_to, ring.end().offset, "a follower has everything");
    });

    group.throughput(Throughput::Elements(BEHIND_CHUNKS));
    group.bench_function("100 chunks of 1 byte", |bencher| {
        let mut ring = full_of_bytes();
        let behind = ring.end().offset - BEHIND_CHUNKS;
        bencher.iter(|| {
            for entry in ring.entries_from(black_box(behind)) {
                black_box(entry);
            }
        });
    });
    group.finish();
}

/// Somebody asks for what follows a position.
fn look_up(criterion: &mut Criterion) {
    let ring = full_of_bytes();
    let (first, end) = (ring.first(), ring.end());
    let chunks = end.offset - first.1;
    // A prime number of steps apart, so that no two that follow each other are close to each other.
    let steps: Vec<u64> = (0..POSITIONS).map(|at| at * 104_729 % chunks).collect();

    let mut group = criterion.benchmark_group("ring/look up");
    group.throughput(Throughput::Elements(1));
    group.bench_function(
        BenchmarkId::new("a number among chunks of 1 byte", chunks),
        |bencher| {
            let mut steps = steps.iter().cycle();
            bencher.iter(|| {
                let step = steps.next().expect("a cycle has no end");
                black_box(ring.after_seq(Seq(first.0.0 + step)))
            });
        },
    );
    group.bench_function(
        BenchmarkId::new("an offset among chunks of 1 byte", chunks),
        |bencher| {
            let mut steps = steps.iter().cycle();
            bencher.iter(|| {
                let step = steps.next().expect("a cycle has no end");
                black_box(ring.after_offset(first.1 + step))
            });
        },
    );
    group.finish();
}

/// A ring that has dropped as much as it keeps, all of it chunks of one byte: the most of them that it can have.
fn full_of_bytes() -> Ring {
    let mut ring = Ring::new(RETAIN_BYTES);
    let mut streams = streams_in_turns();
    while ring.evicted().offset < RETAIN_BYTES as u64 {
        ring.push(streams(), b"x");
        ring.evict(None, drop);
    }
    ring
}

/// A chunk ends where the stream changes.
fn streams_in_turns() -> impl FnMut() -> Stream {
    let mut next = Stream::Stdout;
    move || {
        let other = match next {
            Stream::Stdout => Stream::Stderr,
            Stream::Stderr | Stream::Pty => Stream::Stdout,
        };
        std::mem::replace(&mut next, other)
    }
}
