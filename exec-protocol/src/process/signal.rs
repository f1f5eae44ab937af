//! `process/signal`

use serde::{Deserialize, Serialize};

use super::target::{Target, about_one_process};
use crate::Method;

/// `process/signal`: to the leader's process group; on a terminal to the foreground group.
#[derive(Debug)]
pub enum Signal {}

impl Method for Signal {
    const NAME: &'static str = "process/signal";
    const REPEATABLE: bool = false;
    type Params = SignalParams;
    type Result = SignalResult;
}

about_one_process! {
    /// Which signal, and for whom.
    pub struct SignalParams {
        /// The process.
        pub process: Target,
        /// The signal.
        pub signal: SignalName,
    }
}

/// A signal, by the name of its purpose or of its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SignalName {
    /// SIGINT
    #[serde(alias = "SIGINT")]
    Interrupt,
    /// SIGTERM
    #[serde(alias = "SIGTERM")]
    Terminate,
    /// SIGKILL
    #[serde(alias = "SIGKILL")]
    Kill,
    /// SIGHUP
    #[serde(alias = "SIGHUP")]
    Hangup,
    /// SIGQUIT
    #[serde(alias = "SIGQUIT")]
    Quit,
    /// SIGSTOP
    #[serde(alias = "SIGSTOP")]
    Stop,
    /// SIGCONT
    #[serde(alias = "SIGCONT")]
    Continue,
    /// SIGUSR1
    #[serde(alias = "SIGUSR1")]
    User1,
    /// SIGUSR2
    #[serde(alias = "SIGUSR2")]
    User2,
    /// SIGWINCH
    #[serde(alias = "SIGWINCH")]
    WindowChange,
}

/// What became of the signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SignalResult {
    /// Whether there was something to get it. False for a process that has ended.
    pub delivered: bool,
}
