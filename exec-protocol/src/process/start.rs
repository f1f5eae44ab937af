//! `process/start`

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ProcessLimits, Size, Umask};
use crate::bounded::{MAX_ARGUMENTS, MAX_GLOBS, list, null_as_empty};
use crate::lenient::{labels, null_as_default, unique_names};
use crate::{Group, Method, ProcessId, StartKey, StringMap, Uid, WirePath};

/// `process/start`: answers when the child has been spawned.
#[derive(Debug)]
pub enum Start {}

impl Method for Start {
    const NAME: &'static str = "process/start";
    // Without a start key it is not.
    const REPEATABLE: bool = false;
    type Params = StartParams;
    type Result = StartResult;
}

/// What to run, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a member of its own on the wire"
)]
pub struct StartParams {
    /// The client's name for the process, unique within the session.
    pub process_id: ProcessId,
    /// The program and its arguments. With a slash the program is relative to `cwd`; without, it is
    /// looked up in the PATH of the child's final environment, else in `/usr/bin:/bin`. At most [`MAX_ARGUMENTS`].
    #[serde(deserialize_with = "list::<MAX_ARGUMENTS, _, _>")]
    pub argv: Vec<String>,
    /// The working directory. Default: the server's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<WirePath>,
    /// Variables on top of what `env_policy` gives, unfiltered.
    #[serde(default, deserialize_with = "unique_names")]
    pub env: StringMap,
    /// Which of the server's variables the child gets. None: none of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_policy: Option<EnvPolicy>,
    /// Run on a terminal.
    #[serde(default, deserialize_with = "null_as_default")]
    pub tty: bool,
    /// Give it a stdin to write to; a terminal has one anyway. Else stdin is `/dev/null`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub pipe_stdin: bool,
    /// What the program sees as its own name, if that is not `argv[0]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arg0: Option<String>,
    /// The terminal's first size. Default: 24 x 80.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// Output that is kept, in bytes. Default: the server's `limits.retainBytes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain_bytes: Option<u64>,
    /// What happens when the client does not keep up. Default: [`OnSlowClient::Block`] while the
    /// client is told of output, else [`OnSlowClient::Skip`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_slow_client: Option<OnSlowClient>,
    /// What becomes of it without its client. Default: [`OnDisconnect::Session`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_disconnect: Option<OnDisconnect>,
    /// How long it may run, in milliseconds. Then it is asked to end, and killed when it does not. Default: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// How long it may say nothing, in milliseconds, while it is read. Then as by `timeout_ms`. Default: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_timeout_ms: Option<u64>,
    /// From the polite signal to the kill, in milliseconds; 0 kills at once. Default: the server's
    /// `limits.terminateGraceMs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_ms: Option<u64>,
    /// How long after the leader's exit the end of output is waited for, in milliseconds, if somebody else holds it.
    /// Default: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain_grace_ms: Option<u64>,
    /// What it may use at most. Default: what the server may, and no core dumps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<ProcessLimits>,
    /// The permissions that its new files do not get. Default: the server's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub umask: Option<Umask>,
    /// No program gives it, or its descendants, privileges that the server does not have. So it is in any case where
    /// the server was told so.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub no_new_privs: bool,
    /// Names the start, so that a repeated one gets the first one's result and runs nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_key: Option<StartKey>,
    /// What people call it. For the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it belongs to. For the record, and to wait for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Group>,
    /// For the record, and to find it by.
    #[serde(
        default,
        deserialize_with = "labels",
        skip_serializing_if = "StringMap::is_empty"
    )]
    pub labels: StringMap,
    /// A sandbox to enforce. Anything but null is refused by a server that has none.
    #[serde(
        default,
        deserialize_with = "crate::opaque::policy",
        skip_serializing_if = "Option::is_none"
    )]
    pub sandbox: Option<Value>,
    /// Whether the managed network is to be enforced.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub enforce_managed_network: bool,
    /// A managed network to enforce.
    #[serde(
        default,
        deserialize_with = "crate::opaque::policy",
        skip_serializing_if = "Option::is_none"
    )]
    pub managed_network: Option<Value>,
    /// The client's own notes; not looked into. For the record, if it is short.
    #[serde(
        default,
        deserialize_with = "crate::opaque::notes",
        skip_serializing_if = "Option::is_none"
    )]
    pub metadata: Option<Value>,
}

impl StartParams {
    /// Runs `argv` on pipes, without a stdin, in the server's working directory, with an empty
    /// environment.
    pub fn new(process_id: ProcessId, argv: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            process_id,
            argv: argv.into_iter().map(Into::into).collect(),
            cwd: None,
            env: StringMap::new(),
            env_policy: None,
            tty: false,
            pipe_stdin: false,
            arg0: None,
            size: None,
            retain_bytes: None,
            on_slow_client: None,
            on_disconnect: None,
            timeout_ms: None,
            idle_timeout_ms: None,
            grace_ms: None,
            drain_grace_ms: None,
            limits: None,
            umask: None,
            no_new_privs: false,
            start_key: None,
            title: None,
            group: None,
            labels: StringMap::new(),
            sandbox: None,
            enforce_managed_network: false,
            managed_network: None,
            metadata: None,
        }
    }
}

/// Which of the server's variables a child gets. The steps apply in the order of the fields; names
/// in `exclude` and `include_only` are globs (`*`, `?`) and ignore case; there are at most [`MAX_GLOBS`] in each.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EnvPolicy {
    /// What to start from.
    #[serde(deserialize_with = "null_as_default")]
    pub inherit: Inherit,
    /// Keep names that look like secrets (`*KEY*`, `*SECRET*`, `*TOKEN*`), which else are dropped.
    #[serde(deserialize_with = "null_as_default")]
    pub ignore_default_excludes: bool,
    /// Names to drop.
    #[serde(deserialize_with = "null_as_empty::<MAX_GLOBS, _, _>")]
    pub exclude: Vec<String>,
    /// Variables to set.
    #[serde(deserialize_with = "unique_names")]
    pub set: StringMap,
    /// If not empty, every other name is dropped, also those that were `set`.
    #[serde(deserialize_with = "null_as_empty::<MAX_GLOBS, _, _>")]
    pub include_only: Vec<String>,
}

/// What a child's environment starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inherit {
    /// Every variable of the server.
    #[default]
    All,
    /// The few that a program needs to find its way: user, home, shell, path, locale, temp.
    Core,
    /// Nothing.
    None,
}

/// What happens to a process whose client does not keep up with its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnSlowClient {
    /// The process is not read for a while, so that it blocks once its pipe is full. Nothing is lost.
    Block,
    /// The process runs on, and its oldest output is dropped. The client is told what it missed.
    Skip,
}

/// What becomes of a process without its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OnDisconnect {
    /// It runs on while its session can be resumed, and ends with it.
    #[default]
    Session,
    /// It is ended as soon as the connection is gone.
    Kill,
    /// It outlives its session. It can be found by `process/list` with scope `server`, and reached by its uid.
    Keep,
}

/// The process runs. What is optional is there if the server has the capability `uids`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartResult {
    /// As asked.
    pub process_id: ProcessId,
    /// Always `none`: no sandbox was asked for, or the start would have been refused.
    pub sandbox_type: String,
    /// The server's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<Uid>,
    /// The leader's pid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// When it was spawned, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at_ms: Option<u64>,
}
