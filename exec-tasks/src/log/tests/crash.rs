//! What may be in the files after a crash, or by a hand.

use std::path::PathBuf;

use super::*;

fn index_of(fixture: &Fixture) -> PathBuf {
    fixture.files.raw().with_extension("index")
}

/// Puts both files in order, and asks everything of them. Returns what they come to.
fn repaired(files: &LogFiles) -> LogTotals {
    let totals = repair(files).unwrap();
    assert_eq!(repair(files).unwrap(), totals);
    ask(files, &totals);
    totals
}

/// Whatever is there is an answer or an error.
fn ask(files: &LogFiles, totals: &LogTotals) {
    let reader = LogReader::open(files, totals.clone()).unwrap();
    for (from, to) in [(0, None), (1, Some(3)), (u64::MAX, None)] {
        for unit in [RangeUnit::Line, RangeUnit::Offset] {
            drop(reader.read(&LogsParams {
                range: Some(range(unit, from, to)),
                ..text_params()
            }));
        }
    }
    for count in [1, 3, u64::MAX] {
        for unit in [LogUnit::Lines, LogUnit::Bytes] {
            let head = LogsParams {
                head: Some(count),
                unit,
                ..raw_params()
            };
            reader.read(&head).unwrap();
            reader
                .read(&LogsParams {
                    tail: Some(count),
                    ..head
                })
                .unwrap();
        }
    }
    let grep = Grep {
        before: 2,
        after: 2,
        ..grep("a|^$")
    };
    reader
        .read(&LogsParams {
            grep: Some(grep),
            ..text_params()
        })
        .unwrap();
}

/// A small log with some records: of several streams and times.
fn small() -> Fixture {
    let mut fixture = Fixture::new(u64::MAX, OnOutputLimit::Stop);
    for at_ms in 0..4 {
        let chunks: [(Stream, &[u8]); 3] = [
            (Stream::Stdout, b"out\nput"),
            (Stream::Stdout, b"\n"),
            (Stream::Stderr, b"error\n"),
        ];
        fixture.append_to(&chunks, at_ms * 10);
    }
    fixture
}

#[test]
fn whole_files_are_left_as_they_are() {
    let fixture = small();
    let before = (fixture.raw(), fs::read(index_of(&fixture)).unwrap());
    let totals = repaired(&fixture.files);
    assert_eq!(totals, fixture.writer.tell());
    assert_eq!(
        (totals.total_bytes, totals.total_lines, totals.last_seq),
        (56, 12, Seq(12))
    );
    let after = (fixture.raw(), fs::read(index_of(&fixture)).unwrap());
    assert!(after.0 == before.0);
    // Only what was counted stands in the header now.
    assert!(after.1[256..] == before.1[256..]);
}

#[test]
fn output_that_was_cut_anywhere_is_told_up_to_there() {
    let fixture = small();
    let (raw, index) = (fixture.raw(), fs::read(index_of(&fixture)).unwrap());
    for length in 0..raw.len() {
        fs::write(fixture.files.raw(), &raw[..length]).unwrap();
        fs::write(index_of(&fixture), &index).unwrap();
        let totals = repaired(&fixture.files);
        assert_eq!(
            (totals.total_bytes, totals.state.end_offset),
            (length as u64, length as u64)
        );
        let line_feeds = counts::line_feeds(&raw[..length]);
        let unfinished = length > 0 && raw[length - 1] != b'\n';
        assert_eq!(totals.total_lines, line_feeds + u64::from(unfinished));
        assert_eq!(totals.bytes.total(), length as u64);
        assert!(fixture.raw() == raw[..length]);
    }
}

#[test]
fn an_index_that_was_cut_anywhere_loses_no_output() {
    let fixture = small();
    let (raw, index) = (fixture.raw(), fs::read(index_of(&fixture)).unwrap());
    for length in 0..index.len() {
        fs::write(index_of(&fixture), &index[..length]).unwrap();
        let totals = repaired(&fixture.files);
        assert_eq!((totals.total_bytes, totals.total_lines), (56, 12));
        assert!(fixture.raw() == raw);
        let view = LogReader::open(&fixture.files, totals)
            .unwrap()
            .read(&raw_params())
            .unwrap();
        assert!(bytes_of(&view) == raw);
    }
}

#[test]
fn a_log_that_begins_where_it_ends_stays_so_without_the_record_that_was_to_follow() {
    // As if the writer had dropped all, written the next record, and been killed before its bytes.
    let fixture = small();
    let (_, index) = fixture.files.open_to_repair().unwrap();
    let records = index::records_from(&index, 0).count() as u64;
    let first = header::First {
        offset: 56,
        line_feeds: 12,
        record: records,
        dropped: counts::of_stream(Stream::Stdout, 56),
    };
    let next = record::Record {
        bytes: counts::of_stream(Stream::Stdout, 5),
        offset: 56,
        line_feeds: 12,
        ..record::Record::default()
    };
    let header = header::Header {
        first,
        ..header::Header::default()
    };
    header.write(&index).unwrap();
    let mut bytes = fs::read(index_of(&fixture)).unwrap();
    next.encode(&mut bytes);
    fs::write(index_of(&fixture), bytes).unwrap();
    let totals = repaired(&fixture.files);
    assert_eq!((totals.state.first_offset, totals.state.end_offset), (56, 56));
    assert_eq!((totals.total_bytes, totals.total_lines), (56, 12));
}

#[test]
fn there_are_no_more_lines_than_bytes_before_the_first_that_is_kept() {
    let fixture = small();
    let (_, index) = fixture.files.open_to_repair().unwrap();
    let first = header::First {
        line_feeds: 1 << 28,
        ..header::First::default()
    };
    let header = header::Header {
        first,
        ..header::Header::default()
    };
    header.write(&index).unwrap();
    fs::write(fixture.files.raw(), "").unwrap();
    assert_eq!(repaired(&fixture.files).total_lines, 0);
}

#[test]
fn what_is_behind_a_hole_was_not_written_by_a_task() {
    let fixture = small();
    let raw = fs::OpenOptions::new()
        .write(true)
        .open(fixture.files.raw())
        .unwrap();
    raw.set_len(1 << 40).unwrap();
    let totals = repaired(&fixture.files);
    // What is in its page cannot be told from it.
    assert!((56..=64 << 10).contains(&totals.total_bytes), "{totals:?}");
    assert_eq!(fixture.raw().len() as u64, totals.total_bytes);
}

#[test]
fn what_is_no_file_is_not_followed() {
    let fixture = small();
    fs::remove_file(fixture.files.raw()).unwrap();
    assert!(repair(&fixture.files).is_err());
    std::os::unix::fs::symlink("/etc/passwd", fixture.files.raw()).unwrap();
    assert!(repair(&fixture.files).is_err());
    assert!(LogReader::open(&fixture.files, LogTotals::default()).is_err());
    fs::remove_file(fixture.files.raw()).unwrap();
    fs::create_dir(fixture.files.raw()).unwrap();
    assert!(repair(&fixture.files).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn anything_may_be_in_the_files(
        raw in prop::collection::vec(any::<u8>(), 0..300),
        index in prop::collection::vec(any::<u8>(), 0..900),
        with_magic in any::<bool>(),
    ) {
        let fixture = small();
        let mut index = index;
        if with_magic {
            let real = fs::read(index_of(&fixture)).unwrap();
            let length = index.len().min(8);
            index[..length].copy_from_slice(&real[..length]);
        }
        fs::write(fixture.files.raw(), &raw).unwrap();
        fs::write(index_of(&fixture), &index).unwrap();
        ask(&fixture.files, &fixture.writer.tell());
        drop(held(&fixture.directory.path().join("task")));
        let totals = repaired(&fixture.files);
        prop_assert_eq!(totals.state.end_offset, raw.len() as u64);
        prop_assert!(fixture.raw() == raw);
    }

    #[test]
    fn any_bytes_of_real_files_may_be_others(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        to_ones in any::<bool>(),
        (cut_raw, cut_index) in (0..20usize, 0..200usize),
    ) {
        let mut fixture = Fixture::new(20_000, OnOutputLimit::DropOldest);
        for at_ms in 0..30 {
            fixture.append_to(&[(Stream::Stdout, &[b'a'; 900]), (Stream::Stderr, b"error\n")], at_ms * 10);
        }
        let (mut raw, mut index) = (fixture.raw(), fs::read(index_of(&fixture)).unwrap());
        raw.truncate(raw.len() - cut_raw);
        index.truncate(index.len() - cut_index);
        for (place, byte) in &changes {
            let at = place.index(index.len());
            let end = index.len().min(at + if to_ones { 8 } else { 1 });
            index[at..end].fill(if to_ones { 0xFF } else { *byte });
        }
        fs::write(fixture.files.raw(), &raw).unwrap();
        fs::write(index_of(&fixture), &index).unwrap();
        ask(&fixture.files, &fixture.writer.tell());
        let totals = repaired(&fixture.files);
        prop_assert_eq!(totals.state.end_offset, raw.len() as u64);
        prop_assert!(fixture.raw() == raw);
    }
}
