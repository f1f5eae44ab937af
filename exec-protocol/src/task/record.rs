//! What is known of a task.

use serde::{Deserialize, Serialize};

use super::{LaneName, OnOutputLimit, RetryPolicy, TaskId};
use crate::process::{EndReason, Size, StreamBytes};
use crate::{Group, StartKey, StringMap, Uid, WirePath};

/// Everything there is to say of a task but its output. Times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskRecord {
    /// Its name.
    pub task_id: TaskId,
    /// What people call it.
    pub title: String,
    /// As submitted.
    pub command: Option<String>,
    /// What is run; cut behind `limits.recordBytes`.
    pub argv: Vec<String>,
    /// Where.
    pub cwd: WirePath,
    /// Whether it has a terminal.
    pub tty: bool,
    /// The terminal's first size.
    pub size: Option<Size>,
    /// As submitted.
    pub group: Option<Group>,
    /// As submitted.
    pub parent: Option<Group>,
    /// As submitted.
    pub labels: StringMap,
    /// As submitted.
    pub lane: LaneName,
    /// As submitted.
    pub priority: i32,
    /// As submitted.
    pub submit_key: Option<StartKey>,
    /// Output of an attempt that is kept, in bytes.
    pub max_output_bytes: u64,
    /// As submitted.
    pub on_output_limit: OnOutputLimit,
    /// As submitted.
    pub retry: Option<RetryPolicy>,
    /// How far it has come.
    pub state: TaskState,
    /// While it is queued: how many of its lane are before it, and itself.
    pub position: Option<u64>,
    /// While it is queued: when it may run at the earliest.
    pub not_before_ms: Option<u64>,
    /// When it was submitted.
    pub submitted_at_ms: u64,
    /// When its last attempt began.
    pub started_at_ms: Option<u64>,
    /// When it ended; None while another attempt may follow.
    pub ended_at_ms: Option<u64>,
    /// How its last attempt ended, or that it was cancelled.
    pub end_reason: Option<EndReason>,
    /// The code of its last attempt, or 128+n for signal n.
    pub exit_code: Option<i32>,
    /// The signal that ended its last attempt, such as `SIGKILL`.
    pub signal: Option<String>,
    /// The client that asked for its end, if one did.
    pub ended_by: Option<String>,
    /// Its attempts, in order; the last 20 of them.
    pub attempts: Vec<Attempt>,
    /// How many attempts there were.
    pub attempt_count: u32,
    /// The server that has it, or had it when it died.
    pub server: TaskServer,
}

/// How far a task, or an attempt of it, has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TaskState {
    /// It waits for its turn, or for its time. Of tasks only.
    Queued,
    /// It runs.
    Running,
    /// It ended with code 0.
    Completed,
    /// It ended otherwise by itself or by a limit, or could not be started.
    Failed,
    /// Somebody asked for its end.
    Stopped,
    /// It ended with its server.
    Interrupted,
}

impl TaskState {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 6] = [
        Self::Queued,
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::Stopped,
        Self::Interrupted,
    ];

    /// Whether nothing more happens by itself.
    pub fn is_ended(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Interrupted => "interrupted",
        }
    }
}

/// One run of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Its number, from 1.
    pub attempt: u32,
    /// How far it has come.
    pub state: TaskState,
    /// The process's name on its server; None if it was not started.
    pub uid: Option<Uid>,
    /// The leader's pid. Another process may have it once the attempt has ended.
    pub pid: Option<u32>,
    /// When it began.
    pub started_at_ms: u64,
    /// When it ended.
    pub ended_at_ms: Option<u64>,
    /// How it ended.
    pub end_reason: Option<EndReason>,
    /// The code, or 128+n for signal n.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<String>,
    /// Why it could not be started.
    pub failure: Option<StartFailure>,
    /// How much it has written.
    pub bytes: StreamBytes,
    /// The number of its last output.
    pub last_seq: u64,
    /// When it wrote something that was read.
    pub last_output_at_ms: Option<u64>,
    /// What is kept of its output.
    pub log: LogState,
}

/// Why an attempt could not be started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartFailure {
    /// As an error of `process/start` has it.
    pub kind: String,
    /// For people.
    pub message: String,
}

/// What is kept of an attempt's output.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogState {
    /// The first byte that is kept.
    pub first_offset: u64,
    /// The first byte that is not, or not yet.
    pub end_offset: u64,
    /// Why what follows is not kept, if that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<LogStopped>,
}

/// Why output is not kept from some point on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "reason")]
pub enum LogStopped {
    /// It was more than `maxOutputBytes`, and the first bytes are kept.
    OutputLimit,
    /// The logs of all tasks came to what the server may keep.
    Quota,
    /// It could not be written.
    Failed {
        /// What the system said.
        message: String,
    },
}

/// Which server a task is with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskServer {
    /// A name that the server made when it started.
    pub incarnation: String,
    /// When it last said that it is alive, in Unix milliseconds: while it has something to do, each 5 seconds. Now, if it is the one
    /// that answers.
    pub last_seen_ms: u64,
}
