//! Logs against simple models, and against coreutils and grep.

mod coreutils;
mod crash;
mod dropping;
mod limits;
mod searching;
mod text;
mod views;
mod writing;

use std::fs;
use std::sync::Arc;

use exec_protocol::Seq;
use exec_protocol::process::Stream;
use exec_protocol::task::{Grep, LogUnit, LogView, LogsParams, OnOutputLimit, Range, RangeUnit, TaskRef};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::quota::Quota;
use crate::runner::{Batch, Chunk};

const KIB: usize = 1 << 10;

/// A log in a directory of its own.
struct Fixture {
    directory: TempDir,
    files: LogFiles,
    quota: Arc<Quota>,
    writer: LogWriter,
    next: Seq,
}

impl Fixture {
    fn new(max_bytes: u64, on_limit: OnOutputLimit) -> Self {
        Self::with_quota(max_bytes, on_limit, u64::MAX)
    }

    fn with_quota(max_bytes: u64, on_limit: OnOutputLimit, cap: u64) -> Self {
        let directory = TempDir::new().unwrap();
        let files = LogFiles::new(&directory.path().join("task"), 1);
        let quota = Arc::new(Quota::new(cap, 0));
        let terms = Terms { max_bytes, on_limit };
        let writer = LogWriter::create(&files, terms, Arc::clone(&quota)).unwrap();
        let next = Seq(1);
        Self {
            directory,
            files,
            quota,
            writer,
            next,
        }
    }

    /// A log that has all of this, in chunks of some lengths.
    fn with(bytes: &[u8]) -> Self {
        let mut fixture = Self::new(u64::MAX, OnOutputLimit::Stop);
        for piece in bytes.chunks(100 * KIB) {
            fixture.append(&piece.chunks(30 * KIB + 7).collect::<Vec<_>>(), 5);
        }
        fixture
    }

    fn append(&mut self, chunks: &[&[u8]], now_ms: u64) -> Appended {
        let chunks: Vec<_> = chunks.iter().map(|bytes| (Stream::Stdout, *bytes)).collect();
        self.append_to(&chunks, now_ms)
    }

    fn append_to(&mut self, chunks: &[(Stream, &[u8])], now_ms: u64) -> Appended {
        let mut batch = Batch::default();
        for (stream, bytes) in chunks {
            batch.bytes.extend(*bytes);
            batch.chunks.push(Chunk {
                seq: self.next,
                stream: *stream,
                bytes: bytes.len(),
            });
            self.next = self.next.next();
        }
        self.writer.append(&batch, now_ms)
    }

    fn raw(&self) -> Vec<u8> {
        fs::read(self.files.raw()).unwrap()
    }

    fn read(&self, params: &LogsParams) -> View {
        self.try_read(params).unwrap()
    }

    fn try_read(&self, params: &LogsParams) -> Result<View, ViewError> {
        LogReader::open(&self.files, self.writer.tell())
            .unwrap()
            .read(params)
    }
}

/// All of it, as raw bytes, as much as may be.
fn raw_params() -> LogsParams {
    LogsParams {
        task_id: TaskRef::new("t1").unwrap(),
        attempt: None,
        view: LogView::Raw,
        head: None,
        tail: None,
        unit: LogUnit::Lines,
        grep: None,
        range: None,
        follow: false,
        wait_ms: 0,
        max_bytes: Some(u64::MAX),
    }
}

fn text_params() -> LogsParams {
    LogsParams {
        view: LogView::Text,
        ..raw_params()
    }
}

fn range(unit: RangeUnit, from: u64, to: Option<u64>) -> Range {
    Range { unit, from, to }
}

fn grep(regex: &str) -> Grep {
    Grep {
        regex: regex.to_owned(),
        ignore_case: false,
        before: 0,
        after: 0,
    }
}

/// So many lines, each with what is made of its number.
fn numbered(count: usize, line: fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

/// An offset as an index.
fn at(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

/// The bytes of all parts.
fn bytes_of(view: &View) -> Vec<u8> {
    let parts = view
        .parts
        .iter()
        .map(|part| part.data_base64.as_ref().unwrap().0.to_vec());
    parts.collect::<Vec<_>>().concat()
}

/// The texts of all parts.
fn texts_of(view: &View) -> Vec<&str> {
    view.parts
        .iter()
        .map(|part| part.text.as_deref().unwrap())
        .collect()
}

/// Output of all kinds: lines of all lengths, none at the end, carriage returns, no UTF-8, nothing.
fn outputs() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        4 => "[a-e]{0,6}".prop_map(String::into_bytes),
        2 => Just(Vec::new()),
        1 => Just(b"E\r".to_vec()),
        1 => Just("gr\u{fc}n \u{20ac} \u{1f600}".into()),
        1 => prop::collection::vec(any::<u8>(), 0..12),
        1 => (1..300usize).prop_map(|length| vec![b'x'; length]),
    ];
    let lines = prop::collection::vec(line, 0..30);
    (lines, any::<bool>()).prop_map(|(lines, is_finished)| {
        let mut bytes = lines.join(&b'\n');
        if is_finished && !bytes.is_empty() {
            bytes.push(b'\n');
        }
        bytes
    })
}
