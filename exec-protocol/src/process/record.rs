//! What is known of a process.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{EndReason, Holder, Size, StreamBytes, Usage};
use crate::lenient::null_as_default;
use crate::{Group, ProcessId, StringMap, Uid, WirePath};

/// Everything there is to say of a process but its output. Times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessRecord {
    /// The client's name for it.
    pub process_id: ProcessId,
    /// The server's.
    pub uid: Uid,
    /// As the start said.
    pub title: Option<String>,
    /// As the start said.
    pub group: Option<Group>,
    /// As the start said.
    pub labels: StringMap,
    /// As the start said, if it is short.
    pub metadata: Option<Value>,
    /// As the start said; cut behind `limits.recordBytes`.
    pub argv: Vec<String>,
    /// Where it was started.
    pub cwd: WirePath,
    /// The leader's pid. While the state is `closed` another process may have it.
    pub pid: u32,
    /// Whether it was given a terminal.
    pub tty: bool,
    /// The terminal's size, the last that is known.
    pub size: Option<Size>,
    /// How its descendants are held together.
    pub containment: Containment,
    /// How far it has come.
    pub state: ProcessState,
    /// When it was spawned.
    pub started_at_ms: u64,
    /// When the leader ended.
    pub exited_at_ms: Option<u64>,
    /// When its output ended.
    pub closed_at_ms: Option<u64>,
    /// The code, or 128+n for signal n.
    pub exit_code: Option<i32>,
    /// The signal that ended it, such as `SIGKILL`.
    pub signal: Option<String>,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// The name of the client that asked for its end, if one did.
    pub ended_by: Option<String>,
    /// How much it has written.
    pub bytes: StreamBytes,
    /// How much of that is kept.
    pub retained_bytes: u64,
    /// When it wrote something that was read.
    pub last_output_at_ms: Option<u64>,
    /// How long it has computed, with its descendants; as far as the system tells.
    pub cpu: Option<Usage>,
    /// The most memory it had at a time, in bytes; as far as the system tells.
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

/// How far a process has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ProcessState {
    /// The leader has not ended.
    Running,
    /// The leader has ended; somebody may hold its output.
    Exited,
    /// No output will follow.
    Closed,
}

/// How the descendants of a process are held together, so that they can be ended with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Containment {
    /// By a control group. Nobody escapes it.
    Cgroup,
    /// By a supervisor, which inherits whoever loses its parent. Nobody escapes it.
    Supervisor,
    /// By the process group and session. Who begins another session escapes it.
    Group,
}
