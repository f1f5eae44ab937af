//! `process/read`

use serde::{Deserialize, Serialize};

use super::Stream;
use crate::lenient::null_as_default;
use crate::{Blob, Method, ProcessId, Seq};

/// `process/read`: output after a cursor, at once or as soon as there is some.
#[derive(Debug)]
pub enum Read {}

impl Method for Read {
    const NAME: &'static str = "process/read";
    const REPEATABLE: bool = true;
    type Params = ReadParams;
    type Result = ReadResult;
}

/// How much output a read gives where it does not say, in bytes.
pub const DEFAULT_MAX_BYTES: u64 = 1 << 20;

/// From where to read, how much, and how long to wait for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadParams {
    /// The process.
    pub process_id: ProcessId,
    /// Everything up to here is known. 0 reads from the start.
    #[serde(default, deserialize_with = "null_as_default")]
    pub after_seq: Seq,
    /// Most bytes of output in the answer; one whole chunk comes in any case. 0 asks for the state
    /// only. Default: [`DEFAULT_MAX_BYTES`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// How long to wait for something newer than `after_seq`, in milliseconds.
    #[serde(default, deserialize_with = "null_as_default")]
    pub wait_ms: u64,
}

/// Output, and the state of the process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadResult {
    /// Output after the cursor, in order.
    pub chunks: Vec<Chunk>,
    /// One more than the next `after_seq`.
    pub next_seq: Seq,
    /// Whether the process has exited.
    pub exited: bool,
    /// Its exit code, or 128+n for signal n.
    pub exit_code: Option<i32>,
    /// Whether no output will follow.
    pub closed: bool,
    /// Why it failed after it was started. Always null: such a failure is an exit.
    pub failure: Option<String>,
    /// Whether a sandbox stopped it. Always false without one.
    pub sandbox_denied: bool,
}

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Its number.
    pub seq: Seq,
    /// Where it was written to.
    pub stream: Stream,
    /// The raw bytes.
    pub chunk: Blob,
}
