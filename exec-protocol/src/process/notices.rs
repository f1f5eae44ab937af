//! What the server tells without being asked, in the order of `seq`.

use serde::{Deserialize, Serialize};

use super::{EndReason, Gap, Holder, Stream, StreamBytes, Usage};
use crate::lenient::null_as_default;
use crate::{Blob, Notice, ProcessId, Seq};

/// `process/output`: the process wrote something.
#[derive(Debug)]
pub enum OutputNotice {}

impl Notice for OutputNotice {
    const NAME: &'static str = "process/output";
    type Params = OutputParams;
}

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputParams {
    /// The process.
    pub process_id: ProcessId,
    /// The chunk's number.
    pub seq: Seq,
    /// Where it was written to.
    pub stream: Stream,
    /// The raw bytes.
    pub chunk: Blob,
}

/// `process/gap`: output was dropped before it could be told. Comes before the next output.
#[derive(Debug)]
pub enum GapNotice {}

impl Notice for GapNotice {
    const NAME: &'static str = "process/gap";
    type Params = GapParams;
}

/// What was dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GapParams {
    /// The process.
    pub process_id: ProcessId,
    /// What was dropped.
    pub gap: Gap,
}

/// `process/exited`: the leader has ended. What it had left in the pipe came before.
#[derive(Debug)]
pub enum ExitedNotice {}

impl Notice for ExitedNotice {
    const NAME: &'static str = "process/exited";
    type Params = ExitedParams;
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExitedParams {
    /// The process.
    pub process_id: ProcessId,
    /// The event's number.
    pub seq: Seq,
    /// The code, or 128+n for signal n.
    pub exit_code: i32,
    /// Whether a sandbox stopped it. Always false without one.
    #[serde(default, deserialize_with = "null_as_default")]
    pub sandbox_denied: bool,
    /// The signal that ended it, such as `SIGKILL`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// Why it ended. None if the server does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<EndReason>,
    /// The name of the client that asked for its end, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
    /// When it ended, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exited_at_ms: Option<u64>,
}

/// `process/closed`: no output will follow. The last one, once.
#[derive(Debug)]
pub enum ClosedNotice {}

impl Notice for ClosedNotice {
    const NAME: &'static str = "process/closed";
    type Params = ClosedParams;
}

/// Which process, and what it comes to. What is optional is there if the server has the capability `records`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClosedParams {
    /// The process.
    pub process_id: ProcessId,
    /// The event's number.
    pub seq: Seq,
    /// When it closed, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at_ms: Option<u64>,
    /// How much it has written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<StreamBytes>,
    /// How long it has computed, with its descendants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Usage>,
    /// The most memory it had at a time, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rss_bytes: Option<u64>,
    /// Whether its output was given up before its end, as `drainGraceMs` was over.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub incomplete: bool,
    /// Who held the output then, as far as it could be found out.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub held_by: Vec<Holder>,
}
