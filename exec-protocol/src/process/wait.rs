//! `process/wait`

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Stream;
use crate::bounded::{MAX_IDS, null_as_empty};
use crate::lenient::{null_as_default, unique_names};
use crate::{Group, Method, ProcessId, Seq};

/// `process/wait`: until something is so of one of several processes, or of all of them.
#[derive(Debug)]
pub enum Wait {}

impl Method for Wait {
    const NAME: &'static str = "process/wait";
    const REPEATABLE: bool = true;
    type Params = WaitParams;
    type Result = WaitResult;
}

/// For which processes to wait, for what, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitParams {
    /// The processes, each by the client's name or else by its uid. One that is named twice counts once.
    #[serde(
        default,
        deserialize_with = "null_as_empty::<MAX_IDS, _, _>",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub process_ids: Vec<ProcessId>,
    /// In place of them: those that are of this group when the request comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Group>,
    /// For what.
    pub until: Until,
    /// For whether one is enough.
    #[serde(default, deserialize_with = "null_as_default")]
    pub mode: WaitMode,
    /// Where to begin to look, by process, for output and patterns; either of its names will do. Those of other processes are ignored. Where there
    /// is none, a pattern is looked for from 0 on, and output counts from the call on.
    #[serde(
        default,
        deserialize_with = "unique_names",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub from_offsets: BTreeMap<ProcessId, u64>,
    /// How long to wait, in milliseconds. 0 only looks at what there is.
    #[serde(default, deserialize_with = "null_as_default")]
    pub wait_ms: u64,
}

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Until {
    /// The kind of event.
    pub kind: UntilKind,
    /// The regular expression of a [`Pattern`](UntilKind::Pattern).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// The only stream that counts, for [`Output`](UntilKind::Output) and [`Pattern`](UntilKind::Pattern). None: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<Stream>,
    /// How long a [`Silent`](UntilKind::Silent) process says nothing, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_ms: Option<u64>,
}

impl Until {
    /// A condition that needs nothing but its kind.
    pub fn new(kind: UntilKind) -> Self {
        Self {
            kind,
            regex: None,
            stream: None,
            silent_ms: None,
        }
    }

    /// Output that this regular expression matches.
    pub fn pattern(regex: impl Into<String>) -> Self {
        Self {
            regex: Some(regex.into()),
            ..Self::new(UntilKind::Pattern)
        }
    }

    /// No output for so many milliseconds.
    pub fn silent(silent_ms: u64) -> Self {
        Self {
            silent_ms: Some(silent_ms),
            ..Self::new(UntilKind::Silent)
        }
    }
}

/// A kind of what can be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UntilKind {
    /// The leader has ended.
    Exited,
    /// No output will follow.
    Closed,
    /// Any output.
    Output,
    /// Output that a regular expression matches.
    Pattern,
    /// No output for a while.
    Silent,
}

/// Which of the processes must have come so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WaitMode {
    /// One of them.
    #[default]
    Any,
    /// Each that still can.
    All,
}

/// What came of the wait, in the order in which the processes were named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitResult {
    /// Where it is so.
    pub fired: Vec<Fired>,
    /// Where it cannot become so any more, or nobody can tell.
    pub unmet: Vec<Unmet>,
    /// Whether the time was up before it was so of one or all of them.
    pub timed_out: bool,
}

/// Of one process it is so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fired {
    /// The process, as it was named.
    pub process_id: ProcessId,
    /// What was waited for.
    pub kind: UntilKind,
    /// The event with which it became so; for silence the last one.
    pub seq: Seq,
    /// Where: for output that of its first byte, for a pattern behind the match, else behind the last byte.
    pub offset: u64,
    /// The lines that the match lies in, if it is a pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Of one process it will not be so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unmet {
    /// The process, as it was named.
    pub process_id: ProcessId,
    /// Why not.
    pub reason: UnmetReason,
}

/// Why what was waited for will not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnmetReason {
    /// The process was closed without it.
    Closed,
    /// The output was dropped before it could be looked at.
    Evicted,
}
