//! What the server tells without being asked, in the order of `seq`.

use serde::{Deserialize, Serialize};

use super::{Gap, Stream};
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
}

/// `process/closed`: no output will follow. The last one, once.
#[derive(Debug)]
pub enum ClosedNotice {}

impl Notice for ClosedNotice {
    const NAME: &'static str = "process/closed";
    type Params = ClosedParams;
}

/// Which process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClosedParams {
    /// The process.
    pub process_id: ProcessId,
    /// The event's number.
    pub seq: Seq,
}
