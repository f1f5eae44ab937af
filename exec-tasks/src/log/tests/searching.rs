//! What `grep` does beyond grep.

use super::*;

fn search(fixture: &Fixture, grep: Grep, params: LogsParams) -> View {
    fixture.read(&LogsParams {
        grep: Some(grep),
        ..params
    })
}

#[test]
fn a_line_matches_as_it_is_told() {
    let fixture = Fixture::with(b"err\x1B[31mor\x1B[0m\r\n10%\r20%\nplain\xFF\n");
    let matches = |regex: &str, params| search(&fixture, grep(regex), params).matches.unwrap();
    assert_eq!(matches("^error$", text_params()), 1);
    assert_eq!(matches("^error$", raw_params()), 0);
    assert_eq!(matches("10%", text_params()), 0);
    assert_eq!(matches("10%\\r", raw_params()), 1);
    assert_eq!(matches("plain\u{fffd}$", text_params()), 1);
    assert_eq!(matches("(?-u)plain\\xFF$", raw_params()), 1);
}

#[test]
fn contexts_that_meet_are_one_part() {
    let bytes = numbered(20, |n| format!("{n}\n"));
    let fixture = Fixture::with(bytes.as_bytes());
    let around = Grep {
        before: 1,
        after: 1,
        ..grep("^(3|6|10|11)$")
    };
    let view = search(&fixture, around, text_params());
    assert_eq!(texts_of(&view), ["2\n3\n4\n5\n6\n7\n", "9\n10\n11\n12\n"]);
    assert_eq!(view.parts[0].matching_lines, [3, 6]);
    assert_eq!(
        (view.parts[1].from_line, &view.parts[1].matching_lines),
        (9, &vec![10, 11])
    );
    assert_eq!((view.matches, view.omitted.len()), (Some(4), 0));
    assert_eq!(view.next_offset, bytes.len() as u64);
}

#[test]
fn what_the_range_and_head_and_tail_leave_is_searched() {
    let bytes = numbered(100, |n| format!("{n}\n"));
    let fixture = Fixture::with(bytes.as_bytes());
    let params = LogsParams {
        range: Some(range(RangeUnit::Line, 10, Some(40))),
        ..text_params()
    };
    assert_eq!(
        texts_of(&search(&fixture, grep("5"), params)),
        ["15\n", "25\n", "35\n"]
    );
    let params = LogsParams {
        tail: Some(20),
        ..text_params()
    };
    assert_eq!(texts_of(&search(&fixture, grep("5"), params)), ["85\n", "95\n"]);
    let params = LogsParams {
        head: Some(6),
        tail: Some(5),
        ..text_params()
    };
    let view = search(&fixture, grep("5"), params);
    assert_eq!(texts_of(&view), ["5\n", "95\n"]);
    assert_eq!((view.omitted.len(), view.omitted[0].from_offset), (1, 12));
}

#[test]
fn what_does_not_fit_is_found_the_next_time() {
    let bytes = numbered(1_000, |n| format!("line {n}\n"));
    let fixture = Fixture::with(bytes.as_bytes());
    let (mut from, mut lines, mut matches) = (0, Vec::new(), 0);
    while from < bytes.len() as u64 {
        let params = LogsParams {
            range: Some(range(RangeUnit::Offset, from, None)),
            max_bytes: Some(64),
            ..text_params()
        };
        let view = search(
            &fixture,
            Grep {
                before: 2,
                after: 1,
                ..grep("0$")
            },
            params,
        );
        lines.extend(view.parts.iter().flat_map(|part| part.matching_lines.clone()));
        matches += view.matches.unwrap();
        assert!(view.next_offset > from);
        let rest: Vec<_> = view.omitted.iter().map(|omitted| omitted.from_offset).collect();
        assert_eq!(rest.len(), usize::from(view.next_offset < bytes.len() as u64));
        assert!(rest.iter().all(|&at| at == view.next_offset));
        from = view.next_offset;
    }
    assert_eq!(matches, 100);
    assert_eq!(lines, (0..1_000).step_by(10).collect::<Vec<_>>());
}

#[test]
fn a_line_that_is_too_long_to_be_told_is_told_in_part_and_passed() {
    let bytes = ["short\n", &"long \u{20ac}".repeat(100), "\nshort\n"].concat();
    let fixture = Fixture::with(bytes.as_bytes());
    let params = LogsParams {
        max_bytes: Some(54),
        ..text_params()
    };
    let view = search(
        &fixture,
        Grep {
            before: 1,
            ..grep("long")
        },
        params.clone(),
    );
    assert_eq!(texts_of(&view), ["long \u{20ac}".repeat(6) + "long "]);
    assert_eq!(
        (view.next_offset, view.matches),
        (bytes.len() as u64 - 6, Some(1))
    );
    assert_eq!(
        (view.omitted[0].from_offset, view.omitted[0].to_offset),
        (59, bytes.len() as u64)
    );
    let range = Some(range(RangeUnit::Offset, view.next_offset, None));
    let view = search(&fixture, grep("short"), LogsParams { range, ..params });
    assert_eq!(texts_of(&view), ["short\n"]);
    assert_eq!(view.parts[0].from_line, 2);
}

#[test]
fn a_line_longer_than_memory_is_looked_at_in_pieces_and_counted_once() {
    let mut bytes = vec![b'x'; 5 << 19];
    bytes.extend(b"needle\nx\n");
    let fixture = Fixture::with(&bytes);
    let view = search(&fixture, grep("needle"), raw_params());
    assert_eq!((view.parts.len(), view.parts[0].from_offset), (1, 2 << 20));
    assert_eq!(view.parts[0].matching_lines, [0]);
    let view = search(&fixture, grep("x"), raw_params());
    assert_eq!((view.matches, view.parts.len()), (Some(2), 1));
    assert_eq!(view.parts[0].matching_lines, [0, 1]);
}

#[test]
fn a_search_whose_time_is_over_gets_some_way() {
    let bytes = numbered(30_000, |n| format!("line {n}\n"));
    let fixture = Fixture::with(bytes.as_bytes());
    let (mut from, mut matches, mut answers) = (0, 0, 0);
    while from < bytes.len() as u64 {
        let params = LogsParams {
            grep: Some(grep("00$")),
            range: Some(range(RangeUnit::Offset, from, None)),
            ..text_params()
        };
        let reader = LogReader::open(&fixture.files, fixture.writer.tell()).unwrap();
        let view = reader.until(tokio::time::Instant::now()).read(&params).unwrap();
        assert!(
            view.omitted
                .iter()
                .all(|omitted| omitted.from_offset == view.next_offset)
        );
        matches += view.matches.unwrap();
        answers += 1;
        from = view.next_offset;
    }
    assert_eq!((matches, answers), (299, bytes.len() / (64 << 10) + 1));
}

#[test]
fn a_bad_search_is_an_error() {
    let fixture = Fixture::with(b"x");
    let error = |grep| {
        fixture
            .try_read(&LogsParams {
                grep: Some(grep),
                ..raw_params()
            })
            .unwrap_err()
    };
    assert!(matches!(error(grep("(")), ViewError::Regex { .. }));
    assert!(matches!(error(grep("(\\w{100}){100}")), ViewError::Regex { .. }));
    // To compile one that is nested as deep as the library allows would overflow a thread's stack.
    for levels in [249, 65] {
        let nested = format!("a{}", "+".repeat(levels));
        assert!(
            matches!(error(grep(&nested)), ViewError::Regex { .. }),
            "{levels}"
        );
    }
    let context = Grep {
        before: 1_001,
        ..grep("x")
    };
    assert!(matches!(
        error(context),
        ViewError::ContextTooLarge { limit: 1_000 }
    ));
}
