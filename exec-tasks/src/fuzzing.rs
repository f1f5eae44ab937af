//! What must hold for any bytes at all. Each function panics where it does not.
//!
//! Fuzzers call these, one for each of their targets; the tests call them with the inputs in `fuzz/corpus`, and with those
//! in `fuzz/reached`.

#![expect(clippy::missing_panics_doc, reason = "to panic is how a target says no")]

mod index_file;

use std::fs;
use std::path::Path;

use bytes::Bytes;
use exec_protocol::Blob;
use exec_protocol::task::{Grep, LogState, LogUnit, LogView, LogsParams, Omitted, Range, RangeUnit, TaskRef};

use crate::log::{LogFiles, LogReader, LogTotals, View, held, repair};
use index_file::IndexFile;

/// Largest budget that may be asked for, in bytes; as much is told of it as the log's own limit allows.
const ALL: u64 = u64::MAX;

/// How much output one record of an index stands for, in bytes.
const RECORD_STANDS_FOR: usize = 64 << 10;

/// Whatever the files of a log hold: they are put in order, once and for all, and everything that is kept can be told.
///
/// The input has the length of the raw log in its first two bytes, low byte first; the raw log; and the index. The files are
/// made in `directory`, and stay there.
pub fn index(bytes: &[u8], directory: &Path) {
    let Some((&length, rest)) = bytes.split_first_chunk::<2>() else {
        return;
    };
    let length = usize::from(u16::from_le_bytes(length)).min(rest.len());
    let (raw, index) = rest.split_at(length);
    let task = directory.join("task");
    fs::create_dir_all(&task).expect("there is room for a directory");
    fs::write(task.join("1.log"), raw).expect("there is room for a log");
    fs::write(task.join("1.index"), index).expect("there is room for an index");
    let files = LogFiles::new(&task, 1);

    // Nobody has put it in order yet, and somebody looks already.
    let as_found = LogTotals {
        state: LogState {
            end_offset: raw.len() as u64,
            ..LogState::default()
        },
        ..LogTotals::default()
    };
    ask(&files, &as_found);
    held(&task).expect("it can be read");

    let totals = repair(&files).expect("whatever is in the files is no error");
    let repaired = fs::read(task.join("1.index")).expect("it is there");
    is_in_order(raw, index, &repaired, &totals);
    assert_eq!(
        repair(&files).expect("it was done before"),
        totals,
        "done twice it changes something"
    );
    let again = fs::read(task.join("1.index")).expect("it is there");
    assert!(again == repaired, "done twice it changes the index");
    assert_eq!(
        fs::read(task.join("1.log")).expect("it is there"),
        raw,
        "output was changed"
    );
    ask(&files, &totals);
    is_told_whole(&files, &totals, raw);
    held(&task).expect("it can be read");
}

/// The index says what there is, no more and no less, and what it said rightly it says as before.
fn is_in_order(raw: &[u8], before: &[u8], after: &[u8], totals: &LogTotals) {
    let LogState {
        first_offset,
        end_offset,
        ..
    } = totals.state;
    assert_eq!(end_offset, raw.len() as u64);
    assert!(first_offset <= end_offset);
    assert!(totals.total_bytes >= end_offset);
    let most_bytes = before.len().max(IndexFile::HEADER_BYTES)
        + (raw.len() / RECORD_STANDS_FOR + 2) * IndexFile::RECORD_BYTES;
    assert!(after.len() <= most_bytes, "the index has grown");

    let after = IndexFile::parse(after).expect("it has a header now");
    assert_eq!(
        after.end(),
        Some(end_offset),
        "the index does not say what there is"
    );
    let Some(before) = IndexFile::parse(before).filter(IndexFile::is_from_the_beginning) else {
        return;
    };
    let whole = before.whole_records(raw);
    assert_eq!(first_offset, 0, "output was dropped");
    assert!(
        after.records.starts_with(&before.records[..whole]),
        "a record that was whole is another one, or gone"
    );
    if whole == before.records.len() && totals.state.stopped.is_none() {
        assert_eq!(totals.total_bytes, end_offset);
        assert_eq!(totals.total_lines, lines(raw).count() as u64);
    }
}

/// All that is kept is told byte for byte, and what is not told is named.
fn is_told_whole(files: &LogFiles, totals: &LogTotals, raw: &[u8]) {
    let reader = LogReader::open(files, totals.clone()).expect("it is there");
    let view = reader
        .read(&params(LogView::Raw))
        .expect("there is an answer to all of it");
    let first = usize::try_from(totals.state.first_offset).expect("it is in the file");
    assert!(told(&view) == raw[first..], "what is kept is not what is told");
    is_without_a_hole(&view);
    for count in [1, 3] {
        let tail = LogsParams {
            tail: Some(count),
            ..params(LogView::Raw)
        };
        let view = reader.read(&tail).expect("there is an answer to a part of it");
        let from = lines(&raw[first..])
            .rev()
            .take(usize::try_from(count).expect("it is small"))
            .map(<[u8]>::len)
            .sum::<usize>();
        assert!(
            told(&view) == raw[raw.len() - from..],
            "the last lines are others"
        );
        is_without_a_hole(&view);
    }
}

/// With their ends, which the last may lack.
fn lines(raw: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    raw.split_inclusive(|byte| *byte == b'\n')
}

fn told(view: &View) -> Bytes {
    let parts = view.parts.iter().filter_map(|part| part.data_base64.as_ref());
    parts.flat_map(|Blob(bytes)| bytes.iter().copied()).collect()
}

/// Parts and what is left out follow each other.
fn is_without_a_hole(view: &View) {
    let parts = view.parts.iter().map(|part| (part.from_offset, part.to_offset));
    let omitted = view.omitted.iter().map(
        |Omitted {
             from_offset,
             to_offset,
             ..
         }| (*from_offset, *to_offset),
    );
    let mut stretches: Vec<_> = parts.chain(omitted).collect();
    stretches.sort_unstable();
    for pair in stretches.windows(2) {
        assert_eq!(pair[0].1, pair[1].0, "{stretches:?}");
    }
}

/// There is an answer to whatever is asked, or an error.
fn ask(files: &LogFiles, totals: &LogTotals) {
    let reader = LogReader::open(files, totals.clone()).expect("it is there");
    for (from, to) in [(0, None), (1, Some(3)), (u64::MAX, None)] {
        for unit in [RangeUnit::Line, RangeUnit::Offset] {
            let range = Some(Range { unit, from, to });
            drop(reader.read(&LogsParams {
                range,
                ..params(LogView::Text)
            }));
        }
    }
    // To make text of output costs more than to find it.
    for (count, view) in [(1, LogView::Raw), (3, LogView::Text), (u64::MAX, LogView::Raw)] {
        for unit in [LogUnit::Lines, LogUnit::Bytes] {
            let head = LogsParams {
                head: Some(count),
                unit,
                ..params(view)
            };
            let tail = LogsParams {
                head: None,
                tail: Some(count),
                ..head.clone()
            };
            for params in [head, tail] {
                reader.read(&params).expect("there is an answer to a part of it");
            }
        }
    }
    let grep = Some(Grep {
        regex: "a|^$".into(),
        ignore_case: true,
        before: 2,
        after: 2,
    });
    let found = reader.read(&LogsParams {
        grep,
        ..params(LogView::Text)
    });
    found.expect("there is an answer to a search");
}

fn params(view: LogView) -> LogsParams {
    let task_id = TaskRef::new("t").expect("it is an id");
    LogsParams {
        view,
        max_bytes: Some(ALL),
        ..LogsParams::new(task_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_in_the_corpus_is_put_in_order() {
        let inputs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        for directory in ["corpus/index", "reached/index"] {
            let mut seeds = 0;
            for entry in fs::read_dir(inputs.join(directory)).unwrap() {
                let path = entry.unwrap().path();
                // A failure names its input.
                println!("{}", path.display());
                index(&fs::read(path).unwrap(), tempfile::tempdir().unwrap().path());
                seeds += 1;
            }
            assert!(seeds > 0, "there are no inputs");
        }
    }
}
