//! `task/submit`

use serde::{Deserialize, Serialize};

use super::{LaneName, TaskId, TaskRecord};
use crate::bounded::{MAX_ARGUMENTS, MAX_CHOICES, list, optional_list};
use crate::lenient::{labels, null_as_default, unique_names};
use crate::process::{EnvPolicy, Size};
use crate::{Group, Method, StartKey, StringMap, WirePath};

/// `task/submit`: takes work on. Answers with its record as soon as that is kept, not when it runs.
#[derive(Debug)]
pub enum Submit {}

impl Method for Submit {
    const NAME: &'static str = "task/submit";
    // Without a submit key it is not.
    const REPEATABLE: bool = false;
    type Params = SubmitParams;
    type Result = TaskRecord;
}

/// What to run, when, and what becomes of it. One of `command` and `argv` is given.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SubmitParams {
    /// The client's name for it. Default: one that the server makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<TaskId>,
    /// What people call it. Default: what is run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A command line for the user's shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The program and its arguments, as in `process/start`.
    #[serde(
        deserialize_with = "optional_list::<MAX_ARGUMENTS, _, _>",
        skip_serializing_if = "Option::is_none"
    )]
    pub argv: Option<Vec<String>>,
    /// The working directory. Default: the server's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwd: Option<WirePath>,
    /// Variables on top of what `env_policy` gives, unfiltered.
    #[serde(deserialize_with = "unique_names")]
    pub env: StringMap,
    /// Which of the server's variables it gets. Default: those of an empty policy, as its submitter may be gone when it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env_policy: Option<EnvPolicy>,
    /// Run on a terminal.
    #[serde(deserialize_with = "null_as_default")]
    pub tty: bool,
    /// Give it a stdin to write to; a terminal has one anyway. Else stdin is `/dev/null`.
    #[serde(deserialize_with = "null_as_default")]
    pub pipe_stdin: bool,
    /// The terminal's first size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// What it belongs to, such as a workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<Group>,
    /// Who wants to be told of its end, such as a conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Group>,
    /// To find it by.
    #[serde(deserialize_with = "labels", skip_serializing_if = "StringMap::is_empty")]
    pub labels: StringMap,
    /// How long an attempt may run, in milliseconds. Default: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// How long an attempt may say nothing, in milliseconds. Default: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout_ms: Option<u64>,
    /// From the polite signal to the kill, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace_ms: Option<u64>,
    /// Output of an attempt that is kept, in bytes. Default: the server's `limits.taskOutputBytes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_bytes: Option<u64>,
    /// What happens when an attempt writes more.
    #[serde(deserialize_with = "null_as_default")]
    pub on_output_limit: OnOutputLimit,
    /// When another attempt is made. Default: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryPolicy>,
    /// Which tasks it takes turns with. Default: the lane `default`.
    #[serde(deserialize_with = "null_as_default")]
    pub lane: LaneName,
    /// In its lane those with more come first. Default: 0.
    #[serde(deserialize_with = "null_as_default")]
    pub priority: i32,
    /// When it may run at the earliest, in Unix milliseconds. Default: at once.
    #[serde(rename = "notBefore", skip_serializing_if = "Option::is_none")]
    pub not_before: Option<u64>,
    /// Names the submission, so that a repeated one gets the same task and runs nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submit_key: Option<StartKey>,
}

/// What happens when an attempt writes more than is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OnOutputLimit {
    /// It is ended. The first bytes are kept.
    Kill,
    /// It runs on. The first bytes are kept.
    Stop,
    /// It runs on. The last bytes are kept.
    #[default]
    DropOldest,
}

/// When another attempt is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetryPolicy {
    /// How many attempts are made in all, 1 to 1,000.
    pub max_attempts: u32,
    /// How long to wait before the second, in milliseconds; twice as long before each further one, an hour at most.
    #[serde(default, deserialize_with = "null_as_default")]
    pub backoff_ms: u64,
    /// How an attempt must have ended.
    #[serde(deserialize_with = "list::<MAX_CHOICES, _, _>")]
    pub on: Vec<RetryOn>,
}

/// How an attempt ended that may be followed by another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RetryOn {
    /// With another code than 0, by a signal, or not even started.
    Failure,
    /// It took too long, or was silent for too long.
    Timeout,
    /// With its server.
    Interrupted,
}
