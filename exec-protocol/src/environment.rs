//! The machine that commands run on.

use serde::{Deserialize, Serialize};

use crate::{Empty, Method, WirePath};

/// `environment/info`: asks again for what `initialize` told.
#[derive(Debug)]
pub enum Info {}

impl Method for Info {
    const NAME: &'static str = "environment/info";
    const REPEATABLE: bool = true;
    type Params = Empty;
    type Result = EnvironmentInfo;
}

/// `environment/status`: whether commands can be run.
#[derive(Debug)]
pub enum Status {}

impl Method for Status {
    const NAME: &'static str = "environment/status";
    const REPEATABLE: bool = true;
    type Params = Empty;
    type Result = EnvironmentStatus;
}

/// How far the environment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentStatus {
    /// Always [`Readiness::Ready`], if the server is ours: who can ask can run commands.
    pub status: Readiness,
}

/// Whether commands can be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Readiness {
    /// They can.
    Ready,
}

/// What a client needs to know to write commands for this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentInfo {
    /// The user's login shell.
    pub shell: Shell,
    /// The server's working directory, which is a process's default.
    pub cwd: WirePath,
    /// The user's home directory, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_home_dir: Option<WirePath>,
    /// `linux`, `macos`, `windows`.
    #[serde(default)]
    pub platform_os: String,
    /// Where temporary files go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temp_dir: Option<WirePath>,
    /// What the machine's server does beside the core, for clients that look for it here.
    #[serde(default)]
    pub capabilities: EnvironmentCapabilities,
}

/// What a server does, under the names that clients of the core know. True means: implemented, and allowed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EnvironmentCapabilities {
    /// `fs/open` with [`OpenMode::Replace`](crate::fs::OpenMode::Replace), and `fs/writeBlock`.
    pub file_write_streaming: bool,
}

/// A shell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shell {
    /// Its program's name, such as `bash`.
    pub name: String,
    /// Its program, as a plain path.
    pub path: String,
}
