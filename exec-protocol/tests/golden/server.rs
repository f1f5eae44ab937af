//! What the server says about itself.

use exec_protocol::Empty;
use exec_protocol::process::Containment;
use exec_protocol::server::{
    ConnectionStats, Info, InfoResult, MemoryStats, ProcessStats, RequestStats, SessionStats, StartStats,
    Stats, StatsResult,
};

use crate::file::method;

pub(crate) fn info() -> &'static str {
    let info = InfoResult {
        name: "exec-server".into(),
        version: "0.1.0".into(),
        uptime_ms: 1,
        started_at_ms: 2,
        pid: 3,
        containment: Containment::Supervisor,
    };
    method::<Info>(&[Empty {}], &[info])
}

pub(crate) fn stats() -> &'static str {
    let counts = |list: &[(&str, u64)]| {
        list.iter()
            .map(|(kind, count)| ((*kind).to_owned(), *count))
            .collect()
    };
    let busy = StatsResult {
        uptime_ms: 1,
        connections: ConnectionStats {
            open: 2,
            accepted: 3,
            refused: 4,
        },
        sessions: SessionStats {
            open: 5,
            attached: 6,
            opened: 7,
        },
        processes: ProcessStats {
            running: 8,
            exited: 9,
            closed: 10,
        },
        starts: StartStats {
            spawned: 11,
            failed: counts(&[("programNotFound", 13), ("cwdNotFound", 12)]),
        },
        memory: MemoryStats {
            output_bytes: 14,
            reserved_bytes: 15,
            cap_bytes: 16,
        },
        requests: RequestStats {
            answered: 17,
            errors: counts(&[("invalidParams", 18)]),
        },
    };
    method::<Stats>(&[Empty {}], &[busy, StatsResult::default()])
}
