//! What the server says about itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::process::Containment;
use crate::{Empty, Method};

/// `server/info`: which server this is, and since when it runs.
#[derive(Debug)]
pub enum Info {}

impl Method for Info {
    const NAME: &'static str = "server/info";
    const REPEATABLE: bool = true;
    type Params = Empty;
    type Result = InfoResult;
}

/// `server/stats`: what the server has to do, and what it has done since its start.
#[derive(Debug)]
pub enum Stats {}

impl Method for Stats {
    const NAME: &'static str = "server/stats";
    const REPEATABLE: bool = true;
    type Params = Empty;
    type Result = StatsResult;
}

/// Which server this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InfoResult {
    /// The program's name.
    pub name: String,
    /// Its version, `MAJOR.MINOR.PATCH`.
    pub version: String,
    /// How long it has run.
    pub uptime_ms: u64,
    /// When it was started, in Unix milliseconds.
    pub started_at_ms: u64,
    /// The process id of the program that the server runs in.
    pub pid: u32,
    /// How it holds the descendants of a process together.
    pub containment: Containment,
}

/// What the server has to do, and what it has done. Counts without another word are since its start, and never shrink.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StatsResult {
    /// How long the server has run.
    pub uptime_ms: u64,
    /// Connections, over any transport.
    pub connections: ConnectionStats,
    /// Sessions.
    pub sessions: SessionStats,
    /// Processes, by how far they have come.
    pub processes: ProcessStats,
    /// What became of `process/start`.
    pub starts: StartStats,
    /// The memory for the output of all processes together.
    pub memory: MemoryStats,
    /// What was answered.
    pub requests: RequestStats,
}

/// Connections, over any transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConnectionStats {
    /// Those there are now.
    pub open: u64,
    /// Those there ever were.
    pub accepted: u64,
    /// Those that were turned away because there were too many.
    pub refused: u64,
}

/// Sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SessionStats {
    /// Those there are now.
    pub open: u64,
    /// Those of them that have a connection.
    pub attached: u64,
    /// Those there ever were.
    pub opened: u64,
}

/// The processes that there are now, each counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProcessStats {
    /// Those that have not exited.
    pub running: u64,
    /// Those that have exited, while somebody still holds their output.
    pub exited: u64,
    /// Those that are closed and can still be read.
    pub closed: u64,
}

/// What became of `process/start`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StartStats {
    /// Processes that were started.
    pub spawned: u64,
    /// Starts that were refused or failed, by the name of the [`ErrorKind`](crate::ErrorKind). What is not there is 0.
    pub failed: BTreeMap<String, u64>,
}

/// The memory for the output of all processes together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MemoryStats {
    /// What is held.
    pub output_bytes: u64,
    /// What is set aside, held or not.
    pub reserved_bytes: u64,
    /// What may be set aside.
    pub cap_bytes: u64,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RequestStats {
    /// Answers, refusals among them. Each element of a batch has its own.
    pub answered: u64,
    /// Refusals, by the name of the [`ErrorKind`](crate::ErrorKind). What is not there is 0.
    pub errors: BTreeMap<String, u64>,
}
