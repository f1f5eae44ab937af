//! How a process ended.

use serde::{Deserialize, Serialize};

use super::Stream;

/// Why a process ended. An open set: more may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EndReason {
    /// By itself, with a code.
    Exited,
    /// A signal ended it that nobody here has sent to end it.
    Signaled,
    /// The system killed it for want of memory.
    Oom,
    /// A client asked for it by `process/terminate`.
    Terminated,
    /// It ran for `timeoutMs`.
    Timeout,
    /// It said nothing for `idleTimeoutMs`.
    IdleTimeout,
    /// Its session is over, or its connection was lost and it was started to end with it.
    Disconnected,
    /// The server leaves.
    ServerShutdown,
    /// Of a task: it wrote more than `maxOutputBytes`, and was to be killed then.
    OutputLimit,
    /// Of a task: it was stopped before it ran.
    Cancelled,
    /// Of a task: its program could not be started.
    StartFailed,
    /// Of a task: its server died, and how its process ended is not known.
    ServerLost,
    /// A reason that came after this was written.
    #[serde(other)]
    Other,
}

/// How much a process has written, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StreamBytes {
    /// To standard output.
    pub stdout: u64,
    /// To standard error.
    pub stderr: u64,
    /// To its terminal.
    pub pty: u64,
}

impl StreamBytes {
    /// The count of one stream.
    pub fn of_mut(&mut self, stream: Stream) -> &mut u64 {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
            Stream::Pty => &mut self.pty,
        }
    }

    /// The bytes of all streams.
    pub fn total(self) -> u64 {
        let Self { stdout, stderr, pty } = self;
        stdout.saturating_add(stderr).saturating_add(pty)
    }
}

/// The time that a process and its descendants have been computing, as far as the system tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Usage {
    /// In the programs, in milliseconds.
    pub user_ms: u64,
    /// In the system on their behalf, in milliseconds.
    pub system_ms: u64,
}

/// Somebody who holds a process's output open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Holder {
    /// Its pid.
    pub pid: u32,
    /// Its command line, or what is known of it.
    pub command: String,
}
