//! What tasks have written.

use exec_protocol::Blob;
use exec_protocol::task::{
    Grep, LogPart, LogState, LogStopped, LogUnit, LogView, Logs, LogsParams, LogsResult, Omitted, Range,
    RangeUnit, TaskState,
};

use super::{id, log, some};
use crate::file::method;

pub(crate) fn logs() -> &'static str {
    let all = LogsParams::new(some());
    let ends = LogsParams {
        attempt: Some(2),
        view: LogView::Raw,
        head: Some(1),
        tail: Some(0),
        unit: LogUnit::Bytes,
        max_bytes: Some(1),
        ..all.clone()
    };
    let searched = LogsParams {
        grep: Some(Grep {
            regex: "^a\\b".into(),
            ignore_case: true,
            before: 1,
            after: 2,
        }),
        range: Some(Range {
            unit: RangeUnit::Line,
            from: 3,
            to: Some(4),
        }),
        ..all.clone()
    };
    let followed = LogsParams {
        range: Some(Range {
            unit: RangeUnit::Offset,
            from: 70_000,
            to: None,
        }),
        follow: true,
        wait_ms: 60_000,
        ..all.clone()
    };
    let results = [nothing(), as_text(), as_bytes(), unwritable()];
    method::<Logs>(&[all, ends, searched, followed], &results)
}

fn nothing() -> LogsResult {
    LogsResult {
        task_id: id("t1"),
        attempt: 0,
        state: TaskState::Queued,
        parts: Vec::new(),
        omitted: Vec::new(),
        total_bytes: 0,
        total_lines: 0,
        matches: None,
        next_offset: 0,
        log: LogState::default(),
    }
}

fn as_text() -> LogsResult {
    let omitted = |from_offset, to_offset, is_kept| Omitted {
        from_offset,
        to_offset,
        is_kept,
    };
    LogsResult {
        attempt: 1,
        state: TaskState::Running,
        parts: vec![LogPart {
            from_offset: 4,
            to_offset: 7,
            from_line: 2,
            text: Some("ü\n".into()),
            data_base64: None,
            matching_lines: vec![2],
        }],
        omitted: vec![omitted(0, 4, false), omitted(7, 20, true)],
        total_bytes: 20,
        total_lines: 5,
        matches: Some(1),
        next_offset: 7,
        log: log(Some(LogStopped::Quota)),
        ..nothing()
    }
}

fn as_bytes() -> LogsResult {
    LogsResult {
        parts: vec![LogPart {
            from_offset: 0,
            to_offset: 3,
            from_line: 0,
            text: None,
            data_base64: Some(Blob::from(&b"\x00\xff\n"[..])),
            matching_lines: Vec::new(),
        }],
        log: log(Some(LogStopped::OutputLimit)),
        ..nothing()
    }
}

fn unwritable() -> LogsResult {
    LogsResult {
        log: log(Some(LogStopped::Failed {
            message: "no \"space\"".into(),
        })),
        ..nothing()
    }
}
