//! What is told of what was asked for.

use super::*;

/// Checks that parts and omissions are all of what was asked for, in order, and as it is in the file.
fn assert_tiles(view: &View, raw: &[u8], from: u64, to: u64) {
    let mut stretches: Vec<_> = view
        .parts
        .iter()
        .map(|part| (part.from_offset, part.to_offset))
        .chain(
            view.omitted
                .iter()
                .map(|omitted| (omitted.from_offset, omitted.to_offset)),
        )
        .collect();
    stretches.sort_unstable();
    let mut next = from;
    for (from, to) in stretches {
        assert!(next == from && from < to, "{view:?}");
        next = to;
    }
    assert_eq!(next, to.max(from), "{view:?}");
    for part in &view.parts {
        let (start, end) = (at(part.from_offset), at(part.to_offset));
        assert_eq!(part.data_base64.as_ref().unwrap().0, raw[start..end]);
        let line = counts::line_feeds(&raw[..start]);
        assert_eq!(part.from_line, line);
    }
}

/// Where line N begins, or the end.
fn line_start(bytes: &[u8], line: u64) -> usize {
    let lines = bytes.split_inclusive(|&byte| byte == b'\n').take(at(line));
    lines.map(<[u8]>::len).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn parts_and_omissions_are_what_was_asked_for(
        bytes in outputs(),
        head in prop::option::of(0..40u64),
        tail in prop::option::of(0..40u64),
        by_bytes in any::<bool>(),
        (by_line, from, length) in (any::<bool>(), 0..60u64, prop::option::of(0..60u64)),
        has_range in any::<bool>(),
        max_bytes in prop_oneof![Just(None), (0..100u64).prop_map(Some)],
    ) {
        let fixture = Fixture::with(&bytes);
        let total = bytes.len() as u64;
        let unit = if by_bytes { LogUnit::Bytes } else { LogUnit::Lines };
        let range_unit = if by_line { RangeUnit::Line } else { RangeUnit::Offset };
        let to = length.map(|length| from + length);
        let range = has_range.then_some(Range { unit: range_unit, from, to });
        let params = LogsParams { head, tail, unit, range, max_bytes, ..raw_params() };
        let is_ahead = has_range && !by_line && from > total;
        let view = match fixture.try_read(&params) {
            Err(ViewError::CursorAhead { .. }) if is_ahead => return Ok(()),
            view => view.unwrap(),
        };
        prop_assert!(!is_ahead);
        let (from, to) = match (has_range, by_line) {
            (false, _) => (0, total),
            (true, false) => (from, to.unwrap_or(total).min(total).max(from)),
            (true, true) => {
                let to = to.map_or(bytes.len(), |to| line_start(&bytes, to));
                let from = line_start(&bytes, from);
                (from as u64, to.max(from) as u64)
            }
        };
        assert_tiles(&view, &bytes, from, to);
        let budget = max_bytes.unwrap_or(64 << 10);
        let told: u64 = view.parts.iter().map(|part| part.to_offset - part.from_offset).sum();
        prop_assert!(told <= budget);

        let within = &bytes[at(from)..at(to)];
        let count = |count: u64| at(count).min(within.len());
        let head_length = head.map(|head| if by_bytes { count(head) } else { line_start(within, head) });
        let lines = within.split_inclusive(|&byte| byte == b'\n').count() as u64;
        let tail_length = tail.map(|tail| if by_bytes {
            count(tail)
        } else {
            within.len() - line_start(within, lines.saturating_sub(tail))
        });
        let expected = match (head_length, tail_length) {
            (None, None) => within.to_vec(),
            (Some(head), None) => within[..head].to_vec(),
            (None, Some(tail)) => within[within.len() - tail..].to_vec(),
            (Some(head), Some(tail)) if head + tail >= within.len() => within.to_vec(),
            (Some(head), Some(tail)) => [&within[..head], &within[within.len() - tail..]].concat(),
        };
        let told = bytes_of(&view);
        if expected.len() as u64 <= budget {
            prop_assert_eq!(told, expected);
        } else if head.is_some() && tail.is_none() || has_range && tail.is_none() {
            prop_assert!(expected.starts_with(&told));
            prop_assert_eq!(told.len() as u64, budget);
            prop_assert_eq!(view.next_offset, from + told.len() as u64);
        } else if head.is_none() && tail.is_some() {
            prop_assert!(expected.ends_with(&told));
        }
        prop_assert!(view.next_offset <= to);
    }

    #[test]
    fn a_text_that_is_read_piece_by_piece_is_all_of_it(line in "[a-c\u{20ac}\u{1f600}]{0,300}", max_bytes in 4..100u64) {
        let fixture = Fixture::with(line.as_bytes());
        let (mut text, mut from) = (String::new(), 0);
        while from < line.len() as u64 {
            let params = LogsParams {
                range: Some(range(RangeUnit::Offset, from, None)),
                max_bytes: Some(max_bytes),
                ..text_params()
            };
            let view = fixture.read(&params);
            text.extend(texts_of(&view));
            prop_assert!(view.next_offset > from);
            from = view.next_offset;
        }
        prop_assert_eq!(text, line);
    }
}

#[test]
fn too_much_is_told_from_both_ends_in_whole_lines() {
    let bytes = numbered(1_000, |n| format!("line {n}\n"));
    let fixture = Fixture::with(bytes.as_bytes());
    let view = fixture.read(&LogsParams {
        max_bytes: Some(100),
        ..text_params()
    });
    let texts = texts_of(&view);
    assert_eq!(
        texts[0],
        "line 0\nline 1\nline 2\nline 3\nline 4\nline 5\nline 6\n"
    );
    assert_eq!(texts[1], "line 995\nline 996\nline 997\nline 998\nline 999\n");
    assert_eq!((view.parts[1].from_line, view.omitted.len()), (995, 1));
    assert!(view.omitted[0].is_kept);
    assert_eq!(view.next_offset, bytes.len() as u64);
    // One line has no border near.
    let fixture = Fixture::with(&[b'x'; 1_000]);
    let view = fixture.read(&LogsParams {
        max_bytes: Some(100),
        ..text_params()
    });
    assert_eq!(texts_of(&view), ["x".repeat(50), "x".repeat(50)]);
}

#[test]
fn no_more_is_told_than_may_be() {
    let fixture = Fixture::with(&vec![b'x'; 5 << 20]);
    assert_eq!(bytes_of(&fixture.read(&raw_params())).len(), 4 << 20);
    let view = fixture.read(&LogsParams {
        max_bytes: None,
        ..raw_params()
    });
    assert_eq!(bytes_of(&view).len(), 64 << 10);
    let view = fixture.read(&LogsParams {
        max_bytes: Some(0),
        ..raw_params()
    });
    assert!(view.parts.is_empty() && view.omitted.len() == 1);
}

#[test]
fn of_head_and_tail_one_gets_what_the_other_does_not_need() {
    let fixture = Fixture::with(&[b'x'; 1_000]);
    let params = |head, tail| LogsParams {
        head: Some(head),
        tail: Some(tail),
        unit: LogUnit::Bytes,
        max_bytes: Some(100),
        ..raw_params()
    };
    let lengths = |head, tail| {
        let view = fixture.read(&params(head, tail));
        view.parts
            .iter()
            .map(|part| part.to_offset - part.from_offset)
            .collect::<Vec<_>>()
    };
    assert_eq!(lengths(10, 200), [10, 90]);
    assert_eq!(lengths(200, 10), [90, 10]);
    assert_eq!(lengths(200, 200), [50, 50]);
    assert_eq!(lengths(600, 600), [50, 50]);
}

#[test]
fn what_lacks_its_end_is_left_for_the_next_time_while_it_may_come() {
    for (bytes, whole) in [
        (&b"ab\xE2\x82"[..], 2),
        (b"ab\xF0\x9F\x98", 2),
        (b"ab\x1B", 2),
        (b"ab\x1B[3;1", 2),
        (b"\xE2\x82", 0),
        (b"ab\x1B[31m", 7),
        (b"ab\xFF", 3),
        (b"ab\x80\x80", 4),
    ] {
        let fixture = Fixture::with(bytes);
        let reader = LogReader::open(&fixture.files, fixture.writer.tell()).unwrap();
        let view = reader.read(&text_params()).unwrap();
        assert_eq!(view.next_offset, bytes.len() as u64, "{bytes:?}");
        let reader = reader.while_running();
        let view = reader.read(&text_params()).unwrap();
        assert_eq!(view.next_offset, whole, "{bytes:?}");
        assert_eq!(
            view.parts.last().map_or(0, |part| part.to_offset),
            whole,
            "{bytes:?}"
        );
        assert!(view.omitted.is_empty(), "{bytes:?}");
        assert_eq!(
            reader.read(&raw_params()).unwrap().next_offset,
            bytes.len() as u64
        );
    }
}

#[test]
fn a_reader_looks_at_nothing_behind_its_totals() {
    let mut fixture = Fixture::with(b"one\ntwo\n");
    let totals = fixture.writer.tell();
    fixture.append(&[b"three\nfour"], 9);
    let reader = LogReader::open(&fixture.files, totals).unwrap();
    let tail = LogsParams {
        tail: Some(1),
        ..raw_params()
    };
    assert_eq!(bytes_of(&reader.read(&tail).unwrap()), b"two\n");
    let behind = LogsParams {
        range: Some(range(RangeUnit::Line, 2, None)),
        ..raw_params()
    };
    assert!(reader.read(&behind).unwrap().parts.is_empty());
    assert_eq!(bytes_of(&fixture.read(&tail)), b"four");
}
