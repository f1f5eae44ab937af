//! What is told of a process's output beside the output.

use exec_protocol::process::StreamBytes;
use tokio::time::Instant;

use super::{CloseFacts, ExitFacts, OutputLog};

/// What is to be said of a process's output in a record.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) exit: Option<ExitFacts>,
    pub(crate) closed: Option<CloseFacts>,
    pub(crate) bytes: StreamBytes,
    pub(crate) retained_bytes: u64,
    pub(crate) last_output: Option<Instant>,
}

impl OutputLog {
    /// Whether no output will follow.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().ends.closed.is_some()
    }

    /// How the leader ended, if it has.
    pub(crate) fn exit(&self) -> Option<ExitFacts> {
        self.lock().ends.exit.as_ref().map(|exit| exit.status.clone())
    }

    /// What is to be said of the output in a record.
    pub(crate) fn summary(&self) -> Summary {
        let state = self.lock();
        let (_, first_offset) = state.ring.first();
        Summary {
            exit: state.ends.exit.as_ref().map(|exit| exit.status.clone()),
            closed: state.ends.closed.as_ref().map(|closed| closed.facts.clone()),
            bytes: state.bytes,
            retained_bytes: state.ring.end().offset - first_offset,
            last_output: state.last_output,
        }
    }

    /// When something was published last.
    pub(crate) fn last_output(&self) -> Option<Instant> {
        self.lock().last_output
    }
}
