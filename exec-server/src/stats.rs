//! What the server has to do, and what it has done since its start.

mod metrics;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use exec_protocol::server::{
    ConnectionStats, InfoResult, MemoryStats, ProcessStats, RequestStats, SessionStats, StartStats,
    StatsResult,
};
use exec_protocol::{ErrorKind, RpcError};
use tokio::time::Instant;

pub(crate) use metrics::{CONTENT_TYPE, metrics};

use crate::clock::milliseconds;
use crate::process::Progress;
use crate::server::Server;

/// The counters of a server, and since when it runs.
///
/// Whoever does something counts it, without a lock. What there is now is counted when somebody asks.
#[derive(Debug)]
pub(crate) struct Stats {
    started: Instant,
    started_at: SystemTime,
    open: Count,
    accepted: Count,
    /// Connections that were turned away because there were too many.
    pub(crate) refused: Count,
    /// Sessions that were opened.
    pub(crate) opened: Count,
    /// Processes that were started.
    pub(crate) spawned: Count,
    /// Starts that were refused or failed.
    pub(crate) failed: KindCounts,
    /// Answers, refusals among them.
    pub(crate) answered: Count,
    /// Refusals.
    pub(crate) errors: KindCounts,
}

/// A counter that nothing is ordered by.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

/// A counter for each kind of error.
#[derive(Debug)]
pub(crate) struct KindCounts([Count; ErrorKind::ALL.len()]);

impl Default for KindCounts {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Count::default()))
    }
}

/// A connection that is open. Dropping it closes it, as far as the count goes.
#[derive(Debug)]
pub(crate) struct OpenConnection<'a>(&'a Count);

impl Stats {
    /// Those of a server that starts now.
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            started_at: SystemTime::now(),
            open: Count::default(),
            accepted: Count::default(),
            refused: Count::default(),
            opened: Count::default(),
            spawned: Count::default(),
            failed: KindCounts::default(),
            answered: Count::default(),
            errors: KindCounts::default(),
        }
    }

    /// Counts a connection, as open until this is dropped.
    pub(crate) fn connection(&self) -> OpenConnection<'_> {
        self.accepted.add(1);
        self.open.add(1);
        OpenConnection(&self.open)
    }

    fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}

impl Drop for OpenConnection<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Count {
    /// Counts so many more.
    pub(crate) fn add(&self, more: usize) {
        self.0.fetch_add(more as u64, Ordering::Relaxed);
    }

    /// How many there were.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl KindCounts {
    /// Counts this error. One whose kind is none of ours is not ours to count.
    pub(crate) fn add(&self, error: &RpcError) {
        let at = ErrorKind::ALL
            .iter()
            .position(|kind| kind.as_str() == error.data.kind);
        if let Some(at) = at {
            self.0[at].add(1);
        }
    }

    /// What was counted at least once.
    fn get(&self) -> BTreeMap<String, u64> {
        let counts = ErrorKind::ALL.iter().zip(&self.0);
        counts
            .map(|(kind, count)| (kind.as_str().to_owned(), count.get()))
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}

/// The answer to `server/info`.
pub(crate) fn info(server: &Server) -> InfoResult {
    let stats = server.stats();
    let identity = Server::identity();
    InfoResult {
        name: identity.name,
        version: identity.version,
        uptime_ms: milliseconds(stats.uptime()),
        started_at_ms: stats
            .started_at
            .duration_since(UNIX_EPOCH)
            .map_or(0, milliseconds),
        pid: std::process::id(),
        containment: server.containment(),
    }
}

/// The answer to `server/stats`. It walks all sessions and their processes.
pub(crate) fn stats(server: &Server) -> StatsResult {
    let stats = server.stats();
    let sessions = server.sessions().all();
    let (mut processes, mut output_bytes) = (ProcessStats::default(), 0);
    let kept = server.kept().processes();
    // Those that outlive their sessions are in both lists while these live.
    let orphans = kept
        .into_iter()
        .filter(|process| !sessions.iter().any(|session| session.has(process)));
    let of_sessions = sessions.iter().flat_map(|session| session.processes());
    for process in of_sessions.chain(orphans) {
        match process.progress() {
            None => {}
            Some(Progress::Running) => processes.running += 1,
            Some(Progress::Exited) => processes.exited += 1,
            Some(Progress::Closed) => processes.closed += 1,
        }
        output_bytes += process.log().memory() as u64;
    }
    StatsResult {
        uptime_ms: milliseconds(stats.uptime()),
        connections: ConnectionStats {
            open: stats.open.get(),
            accepted: stats.accepted.get(),
            refused: stats.refused.get(),
        },
        sessions: SessionStats {
            open: sessions.len() as u64,
            attached: sessions.iter().filter(|session| session.is_attached()).count() as u64,
            opened: stats.opened.get(),
        },
        processes,
        starts: StartStats {
            spawned: stats.spawned.get(),
            failed: stats.failed.get(),
        },
        memory: MemoryStats {
            output_bytes,
            reserved_bytes: server.memory().taken() as u64,
            cap_bytes: server.memory().cap() as u64,
        },
        requests: RequestStats {
            answered: stats.answered.get(),
            errors: stats.errors.get(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_is_counted_under_its_kind() {
        let counts = KindCounts::default();
        for kind in ErrorKind::ALL {
            counts.add(&RpcError::new(*kind, ""));
        }
        counts.add(&RpcError::new(ErrorKind::StdinFull, ""));
        let counted = counts.get();
        assert_eq!(counted.len(), ErrorKind::ALL.len());
        assert_eq!((counted["stdinFull"], counted["internal"]), (2, 1));
    }

    #[test]
    fn a_connection_is_open_until_it_is_dropped() {
        let stats = Stats::new();
        let connection = stats.connection();
        assert_eq!((stats.open.get(), stats.accepted.get()), (1, 1));
        drop(connection);
        assert_eq!((stats.open.get(), stats.accepted.get()), (0, 1));
    }
}
