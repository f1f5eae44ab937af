//! What an embedder may choose.

use std::path::PathBuf;
use std::time::Duration;

use exec_protocol::envelope::{MAX_BATCH_ELEMENTS, MAX_DEPTH};
use exec_protocol::initialize::Limits;
use exec_protocol::process::{Containment, Umask};
use exec_protocol::{MAX_ARGUMENTS, MAX_GLOBS, MAX_ID_BYTES, MAX_LABELS, MAX_NAMES, MAX_PATH_BYTES};

use crate::access::Access;
use crate::clock::milliseconds;
use crate::limits;

/// What a server lives by: its times, its memory, and how it holds processes. The times are the contract's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// From the polite signal to the kill.
    pub terminate_grace: Duration,
    /// How long an ended process can still be read, from when its close was told.
    pub retain_ended: Duration,
    /// How long a session lives without a connection.
    pub detached_session: Duration,
    /// Whether a connection can take a session from another one.
    pub takeover: bool,
    /// Whether processes may outlive their sessions, as somebody can come and reach them.
    pub keep: bool,
    /// How the descendants of a process are held together. None: by the strongest way there is.
    pub containment: Option<Containment>,
    /// The program that ends what is left when this one is killed: one whose `main` begins with
    /// [`helper`](crate::helper), such as `exec-server` itself. Without one, descendants that have left their
    /// process's session outlive a server that is killed, and there is no [`Containment::Supervisor`].
    pub helper: Option<PathBuf>,
    /// How long nothing comes from a peer before it is pinged, on a websocket. More than zero.
    pub ping_after: Duration,
    /// How long nothing comes from a peer before it is hung up on, on a websocket.
    pub silent_peer: Duration,
    /// Memory for the output of all processes together, in bytes.
    pub output_memory: usize,
    /// Where background work is kept. None: there is none.
    pub tasks: Option<TaskStorage>,
    /// Who may come in by a websocket.
    pub access: Access,
    /// The permissions that new files of processes do not get, where a start does not say. None: as for this program.
    pub umask: Option<Umask>,
    /// Whether no program gives any process privileges that this one does not have (set-user-ID, capabilities). A start can
    /// ask for it where this is false, and cannot do without where it is true.
    pub no_new_privs: bool,
    /// The soft limit of open files of processes, where a start does not say. None: this program's.
    pub open_files: Option<u64>,
}

/// Where background work is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskStorage {
    /// The directory, which one server has at a time. It is made when it is needed.
    pub state_dir: PathBuf,
    /// Output of all tasks together that is kept, in bytes. Beyond it, output of those that run is not kept.
    pub bytes: u64,
    /// Whether a server is of no use without the directory. If it is of use, and cannot have it, `task/*` is refused until it
    /// can.
    pub is_required: bool,
}

impl TaskStorage {
    /// In this directory, which is required; with the usual bound.
    pub fn in_directory(state_dir: impl Into<PathBuf>) -> Self {
        Self {
            state_dir: state_dir.into(),
            bytes: limits::TASK_STORAGE_BYTES,
            is_required: true,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            terminate_grace: limits::TERMINATE_GRACE,
            retain_ended: limits::RETAIN_ENDED,
            detached_session: limits::DETACHED_SESSION,
            takeover: true,
            keep: true,
            containment: None,
            helper: None,
            ping_after: limits::PING_AFTER,
            silent_peer: limits::SILENT_PEER,
            output_memory: limits::default_output_memory(),
            tasks: None,
            access: Access::default(),
            umask: None,
            no_new_privs: false,
            open_files: None,
        }
    }
}

impl Config {
    /// Every cap in force, as `initialize` tells them.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            message_bytes: limits::MAX_MESSAGE_BYTES as u64,
            batch_elements: MAX_BATCH_ELEMENTS as u64,
            message_depth: MAX_DEPTH as u64,
            id_bytes: MAX_ID_BYTES as u64,
            requests_in_flight: limits::MAX_REQUESTS_IN_FLIGHT as u64,
            stdin_queue_bytes: limits::MAX_STDIN_QUEUE_BYTES as u64,
            write_ids: limits::REMEMBERED_WRITE_IDS as u64,
            retain_bytes: limits::RETAIN_BYTES as u64,
            output_memory_bytes: self.output_memory as u64,
            read_wait_ms: milliseconds(limits::MAX_READ_WAIT),
            read_bytes: limits::MAX_READ_BYTES as u64,
            terminate_grace_ms: milliseconds(self.terminate_grace),
            retain_ended_ms: milliseconds(self.retain_ended),
            detached_session_ms: milliseconds(self.detached_session),
            processes: limits::MAX_PROCESSES as u64,
            processes_per_session: limits::MAX_SESSION_PROCESSES as u64,
            ended_processes: limits::MAX_ENDED_PROCESSES as u64,
            expired_processes: limits::MAX_EXPIRED_PROCESSES as u64,
            retain_expired_ms: milliseconds(limits::RETAIN_EXPIRED),
            record_bytes: limits::MAX_RECORD_BYTES as u64,
            sessions: limits::MAX_SESSIONS as u64,
            connections: limits::MAX_CONNECTIONS as u64,
            ping_after_ms: milliseconds(self.ping_after),
            silent_peer_ms: milliseconds(self.silent_peer),
            wait_processes: limits::MAX_WAIT_PROCESSES as u64,
            pattern_bytes: limits::MAX_PATTERN_BYTES as u64,
            file_bytes: limits::MAX_FILE_BYTES as u64,
            file_block_bytes: limits::MAX_FILE_BLOCK_BYTES as u64,
            file_handles: limits::MAX_FILE_HANDLES as u64,
            file_handles_total: limits::MAX_FILE_HANDLES_IN_ALL as u64,
            walk_depth: limits::MAX_WALK_DEPTH as u64,
            walk_directories: limits::MAX_WALK_DIRECTORIES as u64,
            walk_entries: limits::MAX_WALK_ENTRIES as u64,
            arguments: MAX_ARGUMENTS as u64,
            names: MAX_NAMES as u64,
            labels: MAX_LABELS as u64,
            globs: MAX_GLOBS as u64,
            glob_steps: limits::MAX_GLOB_STEPS as u64,
            path_bytes: MAX_PATH_BYTES as u64,
            control_frames: limits::CONTROL_FRAMES_AT_ONCE.into(),
            control_frames_per_second: limits::CONTROL_FRAMES_PER_SECOND.into(),
            fragment_head_bytes: limits::FRAGMENT_HEADS_BYTES as u64,
            task_output_bytes: self.tasks.as_ref().map(|_| limits::TASK_OUTPUT_BYTES),
            task_storage_bytes: self.tasks.as_ref().map(|storage| storage.bytes),
        }
    }
}
