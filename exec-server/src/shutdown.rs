//! The end of a server.

use std::sync::Arc;
use std::time::Duration;

use exec_protocol::process::OnDisconnect;
use tokio::time::{Instant, timeout, timeout_at};

use crate::process::Stop;
use crate::server::Server;
use crate::session::Session;

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
/// A killed process is gone in milliseconds; a machine out of memory, or with hundreds of them, may take longer.
const AFTER_GRACE: Duration = Duration::from_millis(2500);

/// How long it may take to keep how tasks have ended. Only a disk that hangs takes longer.
const TASKS_KEPT: Duration = Duration::from_secs(2);

/// How long, beyond the grace period, everything together may take.
///
/// Whoever supervises a server kills it when it does not leave, most often after ten seconds. At least half a second is
/// left for goodbyes, whatever the others took.
const AT_MOST_AFTER_GRACE: Duration = Duration::from_secs(5);

pub(crate) async fn run(server: &Server) -> ShutdownReport {
    let begun = Instant::now();
    server.stopping().cancel();
    let grace = server.config().terminate_grace;
    let end = begun + grace + AT_MOST_AFTER_GRACE;
    if let Some(tasks) = server.background() {
        // What it begins in spite of that is stopped as soon as it runs.
        let _ = timeout(TASKS_KEPT, tasks.begin_shutdown()).await;
    }
    let sessions = server.sessions().close();
    let processes = running(server, &sessions);
    let stop = Stop::with_server(grace);
    for session in &sessions {
        session.end(&stop);
    }
    server.kept().end(&stop);
    server.owners().close();
    let owners = timeout_at(begun + grace + AFTER_GRACE, server.owners().wait()).await;
    let background = timeout(TASKS_KEPT, tasks_kept(server)).await;
    server.stopped().cancel();
    server.tasks().close();
    let tasks = timeout_at(end, server.tasks().wait()).await;
    server.threads().close();
    let is_complete = owners.is_ok() && background.is_ok() && tasks.is_ok();
    ShutdownReport {
        sessions: sessions.len(),
        processes,
        is_complete,
    }
}

/// How many processes have not ended yet: those of sessions, and those that outlive them, which may be in both.
fn running(server: &Server, sessions: &[Arc<Session>]) -> usize {
    let of_sessions = sessions.iter().flat_map(|session| session.processes());
    of_sessions
        .filter(|process| process.on_disconnect() != OnDisconnect::Keep)
        .chain(server.kept().processes())
        .filter(|process| process.log().exit().is_none())
        .count()
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
