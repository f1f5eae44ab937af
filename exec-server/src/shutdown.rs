//! The end of a server.

use std::time::Duration;

use tokio::time::timeout;

use crate::limits::{GOODBYE, KILLED_DRAIN};
use crate::process::Stop;
use crate::server::Server;

/// What a shutdown found and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShutdownReport {
    /// Sessions that were open.
    pub sessions: usize,
    /// Processes that had not ended yet.
    pub processes: usize,
    /// Whether each of them has, and every connection is closed. False only if the operating
    /// system holds on to one that was killed, or a peer does not take its goodbye.
    pub is_complete: bool,
}

/// How long, beyond the grace period, processes may take to end.
///
/// A killed process is gone in milliseconds; a machine out of memory may take longer.
const AFTER_GRACE: Duration = Duration::from_secs(2);

/// How long it may take to keep how tasks have ended. Only a disk that hangs takes longer.
const TASKS_KEPT: Duration = Duration::from_secs(2);

pub(crate) async fn run(server: &Server) -> ShutdownReport {
    server.stopping().cancel();
    if let Some(tasks) = server.background() {
        tasks.begin_shutdown().await;
    }
    let grace = server.config().terminate_grace;
    let sessions = server.sessions().close();
    let processes = sessions
        .iter()
        .flat_map(|session| session.processes())
        .filter(|process| process.log().exit().is_none())
        .count();
    let stop = Stop::with_server(grace);
    for session in &sessions {
        session.end(&stop);
    }
    server.kept().end(&stop);
    server.owners().close();
    let owners = timeout(grace + KILLED_DRAIN + AFTER_GRACE, server.owners().wait()).await;
    let background = timeout(TASKS_KEPT, tasks_kept(server)).await;
    server.stopped().cancel();
    server.tasks().close();
    let tasks = timeout(4 * GOODBYE, server.tasks().wait()).await;
    server.threads().close();
    let is_complete = owners.is_ok() && background.is_ok() && tasks.is_ok();
    ShutdownReport {
        sessions: sessions.len(),
        processes,
        is_complete,
    }
}

/// Waits until it is kept how tasks have ended.
async fn tasks_kept(server: &Server) {
    if let Some(tasks) = server.background() {
        tasks.shutdown().await;
    }
}

pub(crate) fn kill(server: &Server) {
    let stop = Stop::with_server(Duration::ZERO);
    for session in server.sessions().close() {
        session.end(&stop);
    }
    server.kept().end(&stop);
}
