//! The first two messages of a connection.

use serde::{Deserialize, Serialize};

use crate::environment::EnvironmentInfo;
use crate::lenient::null_as_default;
use crate::process::Containment;
use crate::{Empty, Method, Notice, SessionId};

/// `initialize`: opens a session, or takes one up again.
#[derive(Debug)]
pub enum Initialize {}

impl Method for Initialize {
    const NAME: &'static str = "initialize";
    const REPEATABLE: bool = false;
    type Params = InitializeParams;
    type Result = InitializeResult;
}

/// `initialized`: the client has read the answer; everything else may follow.
#[derive(Debug)]
pub enum Initialized {}

impl Notice for Initialized {
    const NAME: &'static str = "initialized";
    type Params = Empty;
}

/// Who connects, and to what.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InitializeParams {
    /// The client's name, for logs.
    #[serde(default, deserialize_with = "null_as_default")]
    pub client_name: String,
    /// The session to take up again. None opens a new one.
    #[serde(default)]
    pub resume_session_id: Option<SessionId>,
    /// What the client wants to be told of on this connection.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Notifications::is_default"
    )]
    pub notifications: Notifications,
}

/// What a connection is told of its processes without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Notifications {
    /// Everything.
    #[default]
    All,
    /// Exit and close.
    Lifecycle,
    /// Nothing.
    None,
}

impl Notifications {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes the member by reference"
    )]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What the client may rely on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InitializeResult {
    /// The session's name. Whoever knows it can resume the session.
    pub session_id: SessionId,
    /// The machine that commands run on.
    pub environment_info: EnvironmentInfo,
    /// Which server this is. None if it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_info: Option<ServerInfo>,
    /// What the server does beyond the core. A server that does not say does none of it.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// Every cap in force. None if the server does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// How the server holds a process's descendants together. None if it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub containment: Option<Containment>,
}

/// Name and version of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInfo {
    /// The program's name.
    pub name: String,
    /// Its version, `MAJOR.MINOR.PATCH`.
    pub version: String,
}

/// What the server does beyond the core. True means: implemented, and allowed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a capability of its own on the wire"
)]
pub struct Capabilities {
    /// `process/closeStdin`.
    pub close_stdin: bool,
    /// `process/resize`.
    pub resize: bool,
    /// `size` of `process/start`.
    pub initial_size: bool,
    /// `eof` of `process/write`.
    pub write_eof: bool,
    /// `process/signal` says whether the signal was `delivered`.
    pub signal_delivered: bool,
    /// `afterOffset` and `peek` of `process/read`, and the offsets and the gap in its answer.
    pub offsets: bool,
    /// `onSlowClient` of `process/start`, and `process/gap`.
    pub slow_client: bool,
    /// `retainBytes` of `process/start`.
    pub retain_bytes: bool,
    /// `process/ack`.
    pub ack: bool,
    /// `notifications` of `initialize`.
    pub notifications: bool,
    /// `graceMs` of `process/start` and `process/terminate`.
    pub grace: bool,
    /// `timeoutMs` and `idleTimeoutMs` of `process/start`.
    pub timeouts: bool,
    /// `drainGraceMs` of `process/start`.
    pub drain_grace: bool,
    /// `process/get`, `process/list` and `process/forget`, and the end record in `process/exited` and
    /// `process/closed`.
    pub records: bool,
    /// `uid` in the answer to a start, and in place of any `processId`.
    pub uids: bool,
    /// `startKey` of `process/start`.
    pub start_key: bool,
    /// `offset` of `process/write`.
    pub write_offset: bool,
    /// `onDisconnect` of `process/start`.
    pub on_disconnect: bool,
    /// `onDisconnect: keep`.
    pub keep: bool,
    /// `$/cancelRequest`.
    pub cancel: bool,
    /// `session/close`.
    pub session_close: bool,
    /// `server/info` and `server/stats`.
    pub server_stats: bool,
    /// `process/wait`.
    pub wait: bool,
    /// `fs/*`.
    pub files: bool,
    /// `task/*`.
    pub tasks: bool,
    /// `limits` of `process/start`, without its `tree`.
    pub process_limits: bool,
    /// `umask` of `process/start`.
    pub umask: bool,
    /// `noNewPrivs` of `process/start`.
    pub no_new_privs: bool,
    /// `limits.tree.memoryBytes` of `process/start`.
    pub tree_memory_limit: bool,
    /// `limits.tree.processes` of `process/start`.
    pub tree_processes_limit: bool,
}

/// Every cap in force, each with its unit in its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Longest message, in both directions.
    pub message_bytes: u64,
    /// Most elements of a batch.
    pub batch_elements: u64,
    /// Deepest nesting of a message.
    pub message_depth: u64,
    /// Longest id of a process, session, write, start or group.
    pub id_bytes: u64,
    /// Requests of one connection that were read and are not yet answered.
    pub requests_in_flight: u64,
    /// Stdin of one process that was accepted and not yet written.
    pub stdin_queue_bytes: u64,
    /// Write ids that are remembered for each process.
    pub write_ids: u64,
    /// Output of one process that is kept, where its start does not say.
    pub retain_bytes: u64,
    /// Memory for the output of all processes together.
    pub output_memory_bytes: u64,
    /// Longest wait of a read or of a `process/wait`.
    pub read_wait_ms: u64,
    /// Most output in one answer to a read.
    pub read_bytes: u64,
    /// From the polite signal to the kill.
    pub terminate_grace_ms: u64,
    /// How long an ended process can still be read.
    pub retain_ended_ms: u64,
    /// How long a session lives without a connection.
    pub detached_session_ms: u64,
    /// Processes that run at a time, in all sessions.
    pub processes: u64,
    /// Processes of one session that run at a time. 0 if the server does not say.
    #[serde(default)]
    pub processes_per_session: u64,
    /// Processes of one session that ended and can still be read.
    pub ended_processes: u64,
    /// Processes of one session of which only the end is still known.
    pub expired_processes: u64,
    /// How long the end of a process is known after it can no longer be read.
    pub retain_expired_ms: u64,
    /// Title and labels of one process together; as much of its argv, and of its metadata, is kept for its record.
    pub record_bytes: u64,
    /// Sessions at a time.
    pub sessions: u64,
    /// Connections at a time.
    pub connections: u64,
    /// How long nothing comes from a peer before it is pinged, on a wire that has pings.
    #[serde(default)]
    pub ping_after_ms: u64,
    /// How long nothing comes from a peer before it is hung up on, on a wire that has pings.
    #[serde(default)]
    pub silent_peer_ms: u64,
    /// Processes that one `process/wait` may wait for. 0 if the server does not say.
    #[serde(default)]
    pub wait_processes: u64,
    /// Longest pattern to wait for. 0 if the server does not say.
    #[serde(default)]
    pub pattern_bytes: u64,
    /// Longest file in one message. 0 if the server does not say.
    #[serde(default)]
    pub file_bytes: u64,
    /// Longest block of a file. 0 if the server does not say.
    #[serde(default)]
    pub file_block_bytes: u64,
    /// Open files of one session. 0 if the server does not say.
    #[serde(default)]
    pub file_handles: u64,
    /// Open files of all sessions. 0 if the server does not say.
    #[serde(default)]
    pub file_handles_total: u64,
    /// Levels of directories that a walk goes down. 0 if the server does not say.
    #[serde(default)]
    pub walk_depth: u64,
    /// Directories that a walk looks into. 0 if the server does not say.
    #[serde(default)]
    pub walk_directories: u64,
    /// Entries that a walk gives. 0 if the server does not say.
    #[serde(default)]
    pub walk_entries: u64,
    /// Words of an argv. 0 if the server does not say, as with all that follow.
    #[serde(default)]
    pub arguments: u64,
    /// Names of one object, such as an environment.
    #[serde(default)]
    pub names: u64,
    /// Labels of a process or a task.
    #[serde(default)]
    pub labels: u64,
    /// Globs of one list of an environment's policy.
    #[serde(default)]
    pub globs: u64,
    /// What it may take to match globs with names.
    #[serde(default)]
    pub glob_steps: u64,
    /// Longest path.
    #[serde(default)]
    pub path_bytes: u64,
    /// Pings and pongs at once, on a wire that has them.
    #[serde(default)]
    pub control_frames: u64,
    /// Pings and pongs from then on, a second.
    #[serde(default)]
    pub control_frames_per_second: u64,
    /// Heads of the fragments of one message, on a wire that has fragments, if they come to more than what they hold.
    #[serde(default)]
    pub fragment_head_bytes: u64,
    /// Output of one attempt of a task that is kept, where its submission does not say. None if there are no tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_output_bytes: Option<u64>,
    /// Output of all tasks together that is kept. None if there are no tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_storage_bytes: Option<u64>,
}
