//! What is not kept, and why.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::PermissionsExt as _;

use exec_protocol::process::StreamBytes;
use exec_protocol::task::LogStopped;

use super::*;

#[test]
fn the_first_bytes_are_kept_exactly_and_the_rest_is_counted() {
    for on_limit in [OnOutputLimit::Kill, OnOutputLimit::Stop] {
        let mut fixture = Fixture::new(10, on_limit);
        assert_eq!(fixture.append(&[b"0123", b"456789"], 1), Appended::Counted);
        assert_eq!(fixture.writer.tell().state.stopped, None);
        let expected = match on_limit {
            OnOutputLimit::Kill => Appended::LimitReached,
            OnOutputLimit::Stop | OnOutputLimit::DropOldest => Appended::Counted,
        };
        assert_eq!(fixture.append_to(&[(Stream::Stderr, b"ab\ncd")], 2), expected);
        assert_eq!(fixture.append_to(&[(Stream::Pty, b"\nef")], 3), Appended::Counted);
        assert_eq!(fixture.raw(), b"0123456789");
        let totals = fixture.writer.tell();
        assert_eq!(totals.state.stopped, Some(LogStopped::OutputLimit));
        assert_eq!(
            (totals.state.end_offset, totals.total_bytes, totals.total_lines),
            (10, 18, 3)
        );
        let bytes = StreamBytes {
            stdout: 10,
            stderr: 5,
            pty: 3,
        };
        assert_eq!(totals.bytes, bytes);
        assert_eq!((totals.last_seq, totals.last_output_at_ms), (Seq(4), Some(3)));
        assert_eq!(repair(&fixture.files).unwrap(), totals);
        let view = fixture.read(&raw_params());
        assert_eq!(
            (view.omitted.len(), view.omitted[0].is_kept, view.next_offset),
            (1, false, 18)
        );
    }
}

#[test]
fn a_limit_within_a_batch_cuts_it_there() {
    let mut fixture = Fixture::new(5, OnOutputLimit::Kill);
    assert_eq!(
        fixture.append(&[b"012", b"345", b"678"], 1),
        Appended::LimitReached
    );
    assert_eq!(fixture.raw(), b"01234");
    assert_eq!(repair(&fixture.files).unwrap(), fixture.writer.tell());
}

#[test]
fn the_quota_has_what_the_files_have() {
    let cap = 1_000;
    let mut fixture = Fixture::with_quota(u64::MAX, OnOutputLimit::Stop, cap);
    let task = fixture.directory.path().join("task");
    for at_ms in 0..10 {
        fixture.append(&[b"0123456789\n".repeat(10).as_slice()], at_ms * 5_000);
        assert!(fixture.quota.used() <= cap);
        assert_eq!(held(&task).unwrap(), fixture.quota.used());
        let lengths: u64 = fs::read_dir(&task)
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len())
            .sum();
        assert_eq!(lengths, fixture.quota.used());
    }
    let totals = fixture.writer.tell();
    assert_eq!(totals.state.stopped, Some(LogStopped::Quota));
    assert_eq!((totals.total_bytes, totals.total_lines), (1_100, 100));
    // What is left would not even do for a record.
    let used = fixture.quota.used();
    assert!((cap - 64..=cap).contains(&used), "{used}");
    assert_eq!(repair(&fixture.files).unwrap(), totals);
    let freed = remove(&task).unwrap();
    fixture.quota.give(freed);
    assert_eq!((freed, fixture.quota.used()), (used, 0));
    assert_eq!((remove(&task).unwrap(), held(&task).unwrap()), (0, 0));
}

#[test]
fn without_any_room_nothing_is_kept_and_it_is_told() {
    let mut fixture = Fixture::with_quota(u64::MAX, OnOutputLimit::DropOldest, 10);
    fixture.append(&[b"x\n"], 7);
    let totals = fixture.writer.tell();
    assert_eq!(totals.state.stopped, Some(LogStopped::Quota));
    assert_eq!((totals.state.end_offset, totals.total_bytes), (0, 2));
    assert_eq!(repair(&fixture.files).unwrap(), totals);
}

fn writer_into(raw: File, index: File) -> LogWriter {
    let terms = Terms {
        max_bytes: u64::MAX,
        on_limit: OnOutputLimit::Stop,
    };
    LogWriter::begin(raw, index, terms, Arc::new(Quota::new(u64::MAX, 0))).unwrap()
}

fn one_chunk(bytes: &[u8]) -> Batch {
    let chunk = Chunk {
        seq: Seq(1),
        stream: Stream::Stdout,
        bytes: bytes.len(),
    };
    Batch {
        bytes: bytes.to_vec(),
        chunks: vec![chunk],
    }
}

#[test]
fn a_full_disk_stops_the_log_and_nothing_else() {
    let full = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/full")
        .unwrap();
    let index = tempfile::tempfile().unwrap();
    let mut writer = writer_into(full, index.try_clone().unwrap());
    writer.append(&one_chunk(b"one\n"), 1);
    writer.append(&one_chunk(b"two\n"), 2);
    let totals = writer.tell();
    let Some(LogStopped::Failed { message }) = &totals.state.stopped else {
        panic!("{totals:?}");
    };
    assert_eq!(message, "writing the log: No space left on device (os error 28)");
    assert_eq!(
        (totals.state.end_offset, totals.total_bytes, totals.total_lines),
        (0, 8, 2)
    );
    // The records of what could not be written are gone.
    assert_eq!(index.metadata().unwrap().len(), 256);
}

#[test]
fn an_index_that_cannot_be_written_stops_the_log() {
    let (raw, read_only) = (tempfile::tempfile().unwrap(), File::open("/dev/null").unwrap());
    let terms = Terms {
        max_bytes: 5,
        on_limit: OnOutputLimit::Kill,
    };
    let quota = Arc::new(Quota::new(u64::MAX, 0));
    assert!(
        LogWriter::begin(
            raw.try_clone().unwrap(),
            read_only.try_clone().unwrap(),
            terms,
            quota
        )
        .is_err()
    );
    let mut writer = writer_into(raw.try_clone().unwrap(), tempfile::tempfile().unwrap());
    writer.index = read_only;
    writer.append(&one_chunk(b"one\n"), 1);
    let totals = writer.tell();
    assert!(matches!(totals.state.stopped, Some(LogStopped::Failed { .. })));
    assert_eq!((raw.metadata().unwrap().len(), totals.total_bytes), (0, 4));
}

#[test]
fn where_nothing_can_be_dropped_the_first_bytes_are_kept() {
    for batch_bytes in [10_000, 300_000] {
        let zero = OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/zero")
            .unwrap();
        let terms = Terms {
            max_bytes: 100_000,
            on_limit: OnOutputLimit::DropOldest,
        };
        let quota = Arc::new(Quota::new(u64::MAX, 0));
        let mut writer = LogWriter::begin(zero, tempfile::tempfile().unwrap(), terms, quota).unwrap();
        let batch = one_chunk(&vec![0; batch_bytes]);
        for at_ms in 0..20 {
            assert_eq!(writer.append(&batch, at_ms), Appended::Counted);
        }
        let state = writer.tell().state;
        assert_eq!((state.first_offset, state.end_offset), (0, 100_000));
        let Some(LogStopped::Failed { message }) = state.stopped else {
            panic!("{state:?}");
        };
        assert!(message.starts_with("dropping the oldest output: "), "{message}");
    }
}

#[test]
fn only_their_owner_can_read_the_files_and_nobody_makes_them_twice() {
    let fixture = Fixture::with(b"x");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let task = fixture.directory.path().join("task");
    assert_eq!(mode(&task), 0o700);
    for entry in fs::read_dir(&task).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    let terms = Terms {
        max_bytes: 1,
        on_limit: OnOutputLimit::Stop,
    };
    assert!(LogWriter::create(&fixture.files, terms, Arc::clone(&fixture.quota)).is_err());
    let second = LogFiles::new(&task, 2);
    LogWriter::create(&second, terms, Arc::clone(&fixture.quota)).unwrap();
    assert_eq!(held(&task).unwrap(), fixture.quota.used());
}

#[test]
fn many_small_writes_make_no_index_that_is_longer_than_the_log() {
    let mut fixture = Fixture::new(u64::MAX, OnOutputLimit::Stop);
    for at_ms in 0..10_000 {
        let stream = if at_ms % 2 == 0 {
            Stream::Stdout
        } else {
            Stream::Stderr
        };
        fixture.append_to(&[(stream, b"x")], at_ms * 2_000);
    }
    let totals = fixture.writer.tell();
    assert_eq!((totals.bytes.stdout, totals.bytes.stderr), (5_000, 5_000));
    let index = fixture.quota.used() - totals.total_bytes;
    assert!(index <= totals.total_bytes + 5 * KIB as u64, "{index}");
    assert_eq!(repair(&fixture.files).unwrap(), totals);
}
