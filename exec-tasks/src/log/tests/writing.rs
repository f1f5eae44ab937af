//! Whatever is written, the files, the totals and the quota agree.

use exec_protocol::task::LogStopped;

use super::*;

fn streams() -> impl Strategy<Value = Stream> {
    prop_oneof![Just(Stream::Stdout), Just(Stream::Stderr), Just(Stream::Pty)]
}

/// Short lines, and now and then more than fits into a record.
fn chunks() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => "[a-c\n]{1,20}".prop_map(String::into_bytes),
        2 => (1..9_000usize).prop_map(|length| b"0123456789abcde\n".repeat(length / 16 + 1)),
        1 => (60_000..200_000usize).prop_map(|length| vec![b'x'; length]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_is_written_is_kept_counted_and_found(
        batches in prop::collection::vec(prop::collection::vec((streams(), chunks()), 0..4), 1..25),
        max_bytes in prop_oneof![1..200u64, 1_000..40_000u64, 100_000..400_000u64, Just(u64::MAX)],
        on_limit in prop_oneof![
            1 => Just(OnOutputLimit::Kill),
            1 => Just(OnOutputLimit::Stop),
            2 => Just(OnOutputLimit::DropOldest),
        ],
        cap in prop_oneof![3 => Just(u64::MAX), 1 => 200..300_000u64],
        step_ms in 1..900u64,
    ) {
        let mut fixture = Fixture::with_quota(max_bytes, on_limit, cap);
        let (mut model, mut limits_reached) = (Vec::new(), 0);
        for (batch, now) in batches.iter().zip(1..) {
            let batch: Vec<_> = batch.iter().map(|(stream, bytes)| (*stream, bytes.as_slice())).collect();
            for (_, bytes) in &batch {
                model.extend(*bytes);
            }
            limits_reached += u32::from(fixture.append_to(&batch, now * step_ms) == Appended::LimitReached);

            let totals = fixture.writer.tell();
            let (first, end) = (totals.state.first_offset, totals.state.end_offset);
            prop_assert_eq!(totals.total_bytes, model.len() as u64);
            prop_assert_eq!(totals.bytes.total(), totals.total_bytes);
            prop_assert!(end - first <= max_bytes);
            prop_assert!(fixture.raw()[at(first)..] == model[at(first)..at(end)]);
            prop_assert_eq!(held(&fixture.directory.path().join("task")).unwrap(), fixture.quota.used());
            prop_assert!(fixture.quota.used() <= cap.max(256));
            match totals.state.stopped {
                None => prop_assert_eq!(end, totals.total_bytes),
                Some(LogStopped::OutputLimit) => prop_assert_eq!(end, max_bytes),
                Some(LogStopped::Quota) => prop_assert!(cap < u64::MAX),
                Some(LogStopped::Failed { message }) => panic!("{message}"),
            }
        }
        let is_over = model.len() as u64 > max_bytes && on_limit == OnOutputLimit::Kill;
        prop_assert_eq!(limits_reached, u32::from(is_over));

        let totals = fixture.writer.tell();
        prop_assert_eq!(totals.total_lines, model.split_inclusive(|&byte| byte == b'\n').count() as u64);
        let (first, end) = (totals.state.first_offset, totals.state.end_offset);
        for from in [first, first + (end - first) / 3, end - (end - first) / 3] {
            let params = LogsParams { range: Some(range(RangeUnit::Offset, from, None)), ..raw_params() };
            let view = fixture.read(&params);
            if let Some(part) = view.parts.first() {
                prop_assert_eq!(part.from_line, counts::line_feeds(&model[..at(from)]));
                let by_line = LogsParams {
                    range: Some(range(RangeUnit::Line, part.from_line, Some(part.from_line + 1))),
                    max_bytes: Some(u64::MAX),
                    ..raw_params()
                };
                let line = bytes_of(&fixture.read(&by_line));
                let start = model[..at(from)].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
                let expected = model[start.max(at(first))..at(end)].split_inclusive(|&byte| byte == b'\n').next();
                prop_assert!(line == expected.unwrap());
            }
        }
        prop_assert_eq!(repair(&fixture.files).unwrap(), totals);
    }
}
