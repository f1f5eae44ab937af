//! Where to read on in output that does not fit into one answer.

use exec_protocol::task::{LogsResult, Range, RangeUnit};

/// What is still to be asked for, when this was asked for and this was the answer. None if that is nothing.
///
/// What is written meanwhile is not part of it, or it might never end.
pub(super) fn rest(asked: Range, answer: &LogsResult) -> Option<Range> {
    let next = answer.next_offset;
    let end = match asked.unit {
        RangeUnit::Offset => asked
            .to
            .map_or(answer.log.end_offset, |to| to.min(answer.log.end_offset)),
        // Where the lines end is known by what was left out of them.
        RangeUnit::Line => {
            let left_out = answer.omitted.iter().filter(|omitted| omitted.is_kept);
            left_out.map(|omitted| omitted.to_offset).max()?
        }
    };
    // A server that does not get on is not asked for the same for ever.
    let gets_on = asked.unit == RangeUnit::Line || next > asked.from;
    (gets_on && next < end).then_some(Range {
        unit: RangeUnit::Offset,
        from: next,
        to: Some(end),
    })
}

/// Whether the answer reaches the end of what is kept.
pub(super) fn is_at_end(answer: &LogsResult) -> bool {
    answer.next_offset >= answer.log.end_offset
}

#[cfg(test)]
pub(super) mod tests {
    use exec_protocol::task::{LogState, Omitted, TaskId, TaskState};

    use super::*;

    /// An answer without output.
    pub(in crate::cli::task::logs) fn answer(next_offset: u64, end_offset: u64) -> LogsResult {
        LogsResult {
            task_id: TaskId::new("a").unwrap(),
            attempt: 1,
            state: TaskState::Running,
            parts: Vec::new(),
            omitted: Vec::new(),
            total_bytes: end_offset,
            total_lines: 0,
            matches: None,
            next_offset,
            log: LogState {
                first_offset: 0,
                end_offset,
                stopped: None,
            },
        }
    }

    fn range(unit: RangeUnit, from: u64, to: Option<u64>) -> Range {
        Range { unit, from, to }
    }

    #[test]
    fn reading_ends_where_the_output_ended_at_first() {
        let bytes = |from, to| range(RangeUnit::Offset, from, to);
        assert_eq!(rest(bytes(0, None), &answer(4, 10)), Some(bytes(4, Some(10))));
        // More was written meanwhile.
        assert_eq!(
            rest(bytes(4, Some(10)), &answer(8, 100)),
            Some(bytes(8, Some(10)))
        );
        assert_eq!(rest(bytes(8, Some(10)), &answer(10, 200)), None);
        assert_eq!(rest(bytes(0, Some(50)), &answer(4, 10)), Some(bytes(4, Some(10))));
        assert_eq!(rest(bytes(0, None), &answer(0, 0)), None);
    }

    #[test]
    fn a_server_that_does_not_get_on_is_left() {
        assert_eq!(rest(range(RangeUnit::Offset, 4, None), &answer(4, 10)), None);
    }

    #[test]
    fn lines_are_read_on_by_offset() {
        let lines = range(RangeUnit::Line, 3, Some(9));
        let mut answer = answer(40, 100);
        assert_eq!(rest(lines, &answer), None);
        answer.omitted = vec![Omitted {
            from_offset: 40,
            to_offset: 70,
            is_kept: true,
        }];
        assert_eq!(rest(lines, &answer), Some(range(RangeUnit::Offset, 40, Some(70))));
        answer.next_offset = 70;
        assert_eq!(rest(lines, &answer), None);
    }
}
