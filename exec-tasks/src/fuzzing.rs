//! What must hold for any bytes at all. Each function panics where it does not.
//!
//! Fuzzers call these, one for each of their targets; the tests call them with the inputs in `fuzz/corpus`.

#![expect(clippy::missing_panics_doc, reason = "to panic is how a target says no")]

use std::fs;
use std::path::Path;

use bytes::Bytes;
use exec_protocol::Blob;
use exec_protocol::task::{Grep, LogUnit, LogView, LogsParams, Omitted, Range, RangeUnit, TaskRef};

use crate::log::{LogFiles, LogReader, LogTotals, View, held, repair};

/// Largest budget that may be asked for, in bytes; as much is told of it as the log's own limit allows.
const ALL: u64 = u64::MAX;

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
    ask(&files, &LogTotals::default());
    held(&task).expect("it can be read");

    let totals = repair(&files).expect("whatever is in the files is no error");
    assert_eq!(
        repair(&files).expect("it was done before"),
        totals,
        "done twice it changes something"
    );
    assert_eq!(
        fs::read(task.join("1.log")).expect("it is there"),
        raw,
        "output was changed"
    );
    assert_eq!(totals.state.end_offset, raw.len() as u64);
    assert!(totals.state.first_offset <= totals.state.end_offset);
    assert!(totals.total_bytes >= totals.state.end_offset);
    ask(&files, &totals);
    is_told_whole(&files, &totals, raw);
    held(&task).expect("it can be read");
}

/// All that is kept is told byte for byte, and what is not told is named.
fn is_told_whole(files: &LogFiles, totals: &LogTotals, raw: &[u8]) {
    let reader = LogReader::open(files, totals.clone()).expect("it is there");
    let view = reader
        .read(&params(LogView::Raw))
        .expect("there is an answer to all of it");
    let first = usize::try_from(totals.state.first_offset).expect("it is in the file");
    let parts = view.parts.iter().filter_map(|part| part.data_base64.as_ref());
    let told = parts
        .flat_map(|Blob(bytes)| bytes.iter().copied())
        .collect::<Bytes>();
    assert!(told == raw[first..], "what is kept is not what is told");
    is_without_a_hole(&view);
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
    for count in [1, 3, u64::MAX] {
        for unit in [LogUnit::Lines, LogUnit::Bytes] {
            let head = LogsParams {
                head: Some(count),
                unit,
                ..params(LogView::Text)
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
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/index");
        let mut seeds = 0;
        for entry in fs::read_dir(corpus).unwrap() {
            let path = entry.unwrap().path();
            // A failure names its input.
            println!("{}", path.display());
            index(&fs::read(path).unwrap(), tempfile::tempdir().unwrap().path());
            seeds += 1;
        }
        assert!(seeds > 0, "there are no inputs");
    }
}
