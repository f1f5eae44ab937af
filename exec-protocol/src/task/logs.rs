//! `task/logs`

use serde::{Deserialize, Serialize};

use super::{LogState, TaskId, TaskRef, TaskState};
use crate::lenient::null_as_default;
use crate::{Blob, Method};

/// `task/logs`: what an attempt has written.
///
/// Without `head`, `tail`, `range` and `grep` it is all of it if that fits into `maxBytes`, else the beginning and the
/// end with the middle left out. `head` and `tail` may be given together. Whatever is left out is told with its offsets.
#[derive(Debug)]
pub enum Logs {}

impl Method for Logs {
    const NAME: &'static str = "task/logs";
    const REPEATABLE: bool = true;
    type Params = LogsParams;
    type Result = LogsResult;
}

/// Which output, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogsParams {
    /// The task's id, or the beginning of it.
    pub task_id: TaskRef,
    /// Which attempt, from 1. Default: the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// How the output is told.
    #[serde(default, deserialize_with = "null_as_default")]
    pub view: LogView,
    /// So many lines, or bytes, from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<u64>,
    /// So many from the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<u64>,
    /// What `head` and `tail` count.
    #[serde(default, deserialize_with = "null_as_default")]
    pub unit: LogUnit,
    /// Only the lines that match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grep: Option<Grep>,
    /// Only this part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// Wait for output at or behind the end of what there is, from `range.from` on in bytes, if there is none.
    #[serde(default, deserialize_with = "null_as_default")]
    pub follow: bool,
    /// How long to wait at most, in milliseconds. What is longer than `limits.readWaitMs` is shortened.
    #[serde(default, deserialize_with = "null_as_default")]
    pub wait_ms: u64,
    /// How much output to tell at most, in bytes. Default: 64 KiB; what is more than 4 MiB is 4 MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
}

impl LogsParams {
    /// All that the last attempt has written, as text.
    pub fn new(task_id: TaskRef) -> Self {
        Self {
            task_id,
            attempt: None,
            view: LogView::default(),
            head: None,
            tail: None,
            unit: LogUnit::default(),
            grep: None,
            range: None,
            follow: false,
            wait_ms: 0,
            max_bytes: None,
        }
    }
}

/// How output is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LogView {
    /// As whole UTF-8 without escape sequences; of a line that was written over, what it came to.
    #[default]
    Text,
    /// As the bytes that were written, in base64.
    Raw,
}

/// What `head` and `tail` count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LogUnit {
    /// Lines. What follows the last line feed is one, if it is not empty.
    #[default]
    Lines,
    /// Bytes as they were written, in the text view too.
    Bytes,
}

/// Which lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grep {
    /// A regular expression over the bytes of a line, without its line feed.
    pub regex: String,
    /// Whatever the case of letters.
    #[serde(default, deserialize_with = "null_as_default")]
    pub ignore_case: bool,
    /// How many lines before a match are told with it; at most 1,000.
    #[serde(default, deserialize_with = "null_as_default")]
    pub before: u32,
    /// How many lines behind a match are told with it; at most 1,000.
    #[serde(default, deserialize_with = "null_as_default")]
    pub after: u32,
}

/// A part of the output: from the first, up to and without the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Range {
    /// What `from` and `to` count.
    #[serde(default, deserialize_with = "null_as_default")]
    pub unit: RangeUnit,
    /// Where it begins, from 0.
    #[serde(default, deserialize_with = "null_as_default")]
    pub from: u64,
    /// Where it ends. Default: at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
}

/// What a range counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RangeUnit {
    /// Bytes of output from its beginning, whether kept or not.
    #[default]
    Offset,
    /// Lines of output from its beginning, whether kept or not.
    Line,
}

/// Some of the output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogsResult {
    /// The task's whole id.
    pub task_id: TaskId,
    /// Which attempt; 0 if there was none so far.
    pub attempt: u32,
    /// How far the attempt has come: output may follow while it runs.
    pub state: TaskState,
    /// What there is to tell, in order.
    pub parts: Vec<LogPart>,
    /// What was asked for and is not told, or is not kept, in order. For a grep: what was not looked at, or not told.
    pub omitted: Vec<Omitted>,
    /// How much the attempt has written, in bytes.
    pub total_bytes: u64,
    /// How many lines that is, as far as it is kept or was; the last of them may have no line feed.
    pub total_lines: u64,
    /// How many lines matched, of those that were looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<u64>,
    /// Where to read on: the offset behind the last byte that was looked at.
    pub next_offset: u64,
    /// What is kept.
    pub log: LogState,
}

/// A stretch of output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogPart {
    /// Its first byte.
    pub from_offset: u64,
    /// The byte behind its last.
    pub to_offset: u64,
    /// The line that its first byte is in, from 0.
    pub from_line: u64,
    /// In the text view.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// In the raw view.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_base64: Option<Blob>,
    /// Of a grep: which lines of it matched, from 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matching_lines: Vec<u64>,
}

/// A stretch that is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Omitted {
    /// Its first byte.
    pub from_offset: u64,
    /// The byte behind its last.
    pub to_offset: u64,
    /// Whether it is kept, and can be asked for.
    pub is_kept: bool,
}
