//! `process/read`

use serde::{Deserialize, Serialize};

use super::target::{Target, about_one_process};
use super::{EndReason, Gap, Stream};
use crate::lenient::null_as_default;
use crate::{Blob, Method, Seq};

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

about_one_process! {
    /// From where to read, how much, and how long to wait for it.
    pub struct ReadParams {
        /// The process.
        pub process: Target,
        /// Everything up to here is known. 0 reads from the start, and so does none, unless there is an
        /// `after_offset`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub after_seq: Option<Seq>,
        /// Every byte before this offset is known. Exact: chunks are cut to it and to `max_bytes`. With
        /// it `after_seq` only says which of the events without bytes are known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub after_offset: Option<u64>,
        /// Most bytes of output in the answer. Without `after_offset` one whole chunk comes in any case.
        /// 0 asks for the state only. Default: [`DEFAULT_MAX_BYTES`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub max_bytes: Option<u64>,
        /// How long to wait for something newer than the cursor, in milliseconds.
        #[serde(default, deserialize_with = "null_as_default")]
        pub wait_ms: u64,
        /// Only look: what was read before the cursor is not taken for acknowledged.
        #[serde(
            default,
            deserialize_with = "null_as_default",
            skip_serializing_if = "std::ops::Not::not"
        )]
        pub peek: bool,
    }
}

impl ReadParams {
    /// Reads what follows this event, without waiting.
    pub fn after_seq(process: impl Into<Target>, after_seq: Seq) -> Self {
        Self {
            process: process.into(),
            after_seq: Some(after_seq),
            after_offset: None,
            max_bytes: None,
            wait_ms: 0,
            peek: false,
        }
    }
}

/// Output, and the state of the process.
///
/// What is optional here is there in every answer of a server with the capability `offsets`, but for
/// the gap.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a member of its own on the wire"
)]
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
    /// Why output could not be read to its end, once it is closed. A process that fails has an exit instead.
    pub failure: Option<String>,
    /// Whether a sandbox stopped it. Always false without one.
    pub sandbox_denied: bool,
    /// The next `after_offset`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_offset: Option<u64>,
    /// The oldest chunk that is kept; one more than the newest event if none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seq: Option<Seq>,
    /// The oldest byte that is kept; `end_offset` if none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_offset: Option<u64>,
    /// Bytes published so far, over all streams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_offset: Option<u64>,
    /// What lay between the cursor and the oldest that is kept, and is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
    /// The signal that ended it, such as `SIGKILL`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// Why it ended, once it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<EndReason>,
    /// Whether its output was given up before its end, as `drainGraceMs` was over or a read of it failed.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub incomplete: bool,
}

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Its number.
    pub seq: Seq,
    /// Where it was written to.
    pub stream: Stream,
    /// The offset of its first byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The raw bytes.
    pub chunk: Blob,
}
