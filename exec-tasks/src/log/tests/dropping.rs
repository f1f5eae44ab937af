//! Logs whose beginning is dropped.

use std::os::unix::fs::MetadataExt as _;

use super::*;

fn this_is(count: usize) -> Vec<u8> {
    numbered(count, |n| format!("this is line {n:08}\n")).into_bytes()
}

fn dropping(max_bytes: u64, bytes: &[u8], at_a_time: usize) -> Fixture {
    let mut fixture = Fixture::new(max_bytes, OnOutputLimit::DropOldest);
    for (piece, at_ms) in bytes.chunks(at_a_time).zip(0..) {
        assert_eq!(fixture.append(&[piece], at_ms * 100), Appended::Counted);
        let state = fixture.writer.tell().state;
        assert_eq!(state.stopped, None);
        assert!(state.end_offset - state.first_offset <= max_bytes);
    }
    fixture
}

#[test]
fn the_newest_bytes_are_kept_at_their_offsets() {
    let bytes = this_is(200_000);
    let total = bytes.len() as u64;
    for (max_bytes, at_a_time) in [
        (1 << 20, 10_000),
        (1 << 20, 2 << 20),
        (200_000, 64 * KIB),
        (100, 70_000),
        (0, 99_999),
    ] {
        let fixture = dropping(max_bytes, &bytes, at_a_time);
        let totals = fixture.writer.tell();
        let first = totals.state.first_offset;
        assert_eq!(
            (totals.state.end_offset, totals.total_bytes, totals.total_lines),
            (total, total, 200_000)
        );
        assert!(total - first >= max_bytes / 2, "{max_bytes}");
        let raw = fixture.raw();
        assert!(raw[at(first)..] == bytes[at(first)..]);
        let on_disk = fs::metadata(fixture.files.raw()).unwrap().blocks() * 512;
        assert!(on_disk <= max_bytes + 16 * KIB as u64, "{on_disk}");
        assert_eq!(
            held(&fixture.directory.path().join("task")).unwrap(),
            fixture.quota.used()
        );
        assert!(fixture.quota.used() <= 2 * max_bytes + 16 * KIB as u64);
        assert_eq!(repair(&fixture.files).unwrap(), totals);
    }
}

#[test]
fn offsets_and_lines_stay_what_they_were() {
    let bytes = this_is(100_000);
    let fixture = dropping(500_000, &bytes, 12_345);
    let first = fixture.writer.tell().state.first_offset;
    let tail = fixture.read(&LogsParams {
        tail: Some(1),
        ..text_params()
    });
    assert_eq!(
        (texts_of(&tail), tail.parts[0].from_line),
        (vec!["this is line 00099999\n"], 99_999)
    );
    assert!(tail.omitted[0].to_offset == first && !tail.omitted[0].is_kept && tail.omitted[1].is_kept);
    let line = |from, to| LogsParams {
        range: Some(range(RangeUnit::Line, from, Some(to))),
        ..text_params()
    };
    assert_eq!(
        texts_of(&fixture.read(&line(90_000, 90_001))),
        ["this is line 00090000\n"]
    );
    // Of lines that are not kept it is not known where they were.
    let view = fixture.read(&line(10, 20));
    assert_eq!(
        (view.parts.len(), view.omitted.len(), view.omitted[0].is_kept),
        (0, 1, false)
    );
    assert_eq!(
        (view.omitted[0].from_offset, view.omitted[0].to_offset),
        (0, first)
    );
    let head = fixture.read(&LogsParams {
        head: Some(1),
        ..raw_params()
    });
    let line_of_first = first / 22;
    assert_eq!(
        (head.parts[0].from_offset, head.parts[0].from_line),
        (first, line_of_first)
    );
    assert_eq!(head.next_offset, (line_of_first + 1) * 22);
    let params = LogsParams {
        range: Some(range(RangeUnit::Offset, 5, Some(first + 3))),
        ..raw_params()
    };
    let view = fixture.read(&params);
    assert_eq!(bytes_of(&view), bytes[at(first)..at(first) + 3]);
    assert_eq!(
        (view.omitted[0].from_offset, view.omitted[0].to_offset),
        (5, first)
    );
    let found = fixture.read(&LogsParams {
        grep: Some(grep("99998$")),
        ..text_params()
    });
    assert_eq!(
        (found.matches, &found.parts[0].matching_lines),
        (Some(1), &vec![99_998])
    );
}

#[test]
fn an_index_is_not_longer_than_what_is_kept_of_its_log() {
    let mut fixture = dropping(100_000, &vec![b'x'; 5_000_000], 50_000);
    for at_ms in 0..50_000 {
        fixture.append(&[b"x"], 1_000_000 + at_ms * 2_000);
    }
    let totals = fixture.writer.tell();
    let kept = totals.total_bytes - totals.state.first_offset;
    let index = fixture.quota.used() - kept;
    assert!(index <= kept + 16 * KIB as u64, "{index} for {kept}");
    assert_eq!(repair(&fixture.files).unwrap(), totals);
}

#[test]
fn a_full_quota_does_not_stop_a_log_that_makes_room_for_itself() {
    let mut fixture = Fixture::with_quota(256 << 10, OnOutputLimit::DropOldest, 300 << 10);
    for piece in this_is(100_000).chunks(10_000) {
        fixture.append(&[piece], 0);
    }
    assert_eq!(fixture.writer.tell().state.stopped, None);
}

#[test]
fn a_reader_with_older_totals_takes_nothing_dropped_for_output() {
    let bytes = this_is(50_000);
    let mut fixture = dropping(300_000, &bytes, 50_000);
    let older = fixture.writer.tell();
    fixture.append(&[&bytes[..150_000]], 9);
    let newer = fixture.writer.tell().state.first_offset;
    assert!(newer > older.state.first_offset);
    let view = LogReader::open(&fixture.files, older.clone())
        .unwrap()
        .read(&raw_params())
        .unwrap();
    assert_eq!(
        (view.parts[0].from_offset, view.next_offset),
        (newer, older.total_bytes)
    );
    assert!(bytes_of(&view) == bytes[at(newer)..]);
}

#[test]
fn without_its_index_a_log_begins_where_the_file_system_has_something() {
    let bytes = this_is(50_000);
    let fixture = dropping(300_000, &bytes, 50_000);
    let first = fixture.writer.tell().state.first_offset;
    fs::remove_file(fixture.files.raw().with_extension("index")).unwrap();
    let totals = repair(&fixture.files).unwrap();
    assert!(totals.state.first_offset <= first && first - totals.state.first_offset < 64 * KIB as u64);
    assert_eq!(totals.total_bytes, bytes.len() as u64);
    assert_eq!(repair(&fixture.files).unwrap(), totals);
    let view = LogReader::open(&fixture.files, totals).unwrap();
    let tail = view
        .read(&LogsParams {
            tail: Some(1),
            ..text_params()
        })
        .unwrap();
    assert_eq!(texts_of(&tail), ["this is line 00049999\n"]);
}
