//! Clients that open and leave.

use exec_tests::{TestServer, on_wires};
use serde_json::json;

use super::is_answered;

/// What one session that nobody is attached to may cost, in KiB.
const SESSION_KIB: u64 = 8;

/// What stays known of a process that was forgotten, and of its name: nothing, but for what the allocator keeps.
const FORGOTTEN_KIB: u64 = 8 << 10;

on_wires! {
    [websocket]
    async fn sessions_that_are_left_cost_little(server: &TestServer) {
        const SESSIONS: u64 = 600;
        let process = server.process().expect("it runs on its own");
        let mut other = server.session().await;
        is_answered(&mut other).await;
        let before = process.anonymous_kib();
        for _ in 0..SESSIONS {
            server.session().await.hang_up();
        }
        is_answered(&mut other).await;
        let grown = process.anonymous_kib().saturating_sub(before);
        assert!(grown <= SESSIONS * SESSION_KIB, "{grown} KiB for {SESSIONS} sessions");
        other.finish().await;
    }

    [websocket]
    async fn processes_that_are_started_and_forgotten_leave_nothing(server: &TestServer) {
        const PROCESSES: usize = 300;
        let process = server.process().expect("it runs on its own");
        let mut peer = server.session().await;
        let mut before = 0;
        for number in 0..PROCESSES {
            if number == PROCESSES / 10 {
                before = process.anonymous_kib();
            }
            let id = format!("{number:0256}");
            let start = json!({"processId": id, "argv": ["/bin/true"], "title": "t".repeat(4096), "metadata": "m".repeat(4094)});
            peer.run(start).await;
            assert_eq!(peer.call("process/forget", json!({"processId": id})).await, json!({"forgotten": true}));
        }
        let grown = process.anonymous_kib().saturating_sub(before);
        assert!(grown <= FORGOTTEN_KIB, "{grown} KiB are left of {PROCESSES} processes");
        peer.finish().await;
    }
}
