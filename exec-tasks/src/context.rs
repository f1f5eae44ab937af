//! What the engine and the attempts share.

use std::path::PathBuf;
use std::sync::Arc;

use exec_protocol::task::TaskId;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio_util::task::TaskTracker;

use crate::engine::Call;
use crate::feed::Feed;
use crate::log::{LogFiles, LogTotals};
use crate::quota::Quota;
use crate::runner::Runner;
use crate::spec::Defaults;
use crate::state_dir::logs_of;
use crate::threads::{Readers, Worker};

/// What the engine and the attempts share.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) runner: Arc<dyn Runner>,
    /// A name that no other server has, nor this one after a restart.
    pub(crate) incarnation: String,
    pub(crate) defaults: Defaults,
    /// The directory of all logs.
    pub(crate) logs: PathBuf,
    pub(crate) quota: Arc<Quota>,
    /// Writes all logs.
    pub(crate) writer: Worker,
    pub(crate) readers: Readers,
    pub(crate) feed: Feed,
    /// To the engine.
    pub(crate) calls: mpsc::Sender<Call>,
    /// Where attempts run.
    pub(crate) runtime: Handle,
    pub(crate) attempts: TaskTracker,
    /// What is waited for on behalf of who asks, and given up with them.
    pub(crate) errands: TaskTracker,
    /// What looks after the time; it ends with the engine.
    pub(crate) timekeeper: TaskTracker,
}

/// How far the log of an attempt has come.
pub(crate) type Progress = watch::Sender<LogTotals>;

impl Context {
    /// The files of an attempt.
    pub(crate) fn log_files(&self, task: &TaskId, attempt: u32) -> LogFiles {
        LogFiles::new(&logs_of(&self.logs, task), attempt)
    }
}
