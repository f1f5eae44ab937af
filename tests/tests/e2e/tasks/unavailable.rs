//! Servers without tasks, and who may look at those of others.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use exec_tests::{TestServer, on_every_wire, on_every_wire_with_tasks};
use serde_json::json;

use super::{is_refused, task};

/// Checks that a directory and all that is in it is its user's alone. Returns how much there is.
fn is_private(path: &Path) -> usize {
    let metadata = fs::metadata(path).unwrap();
    let mode = metadata.permissions().mode() & 0o7777;
    let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
    assert_eq!(mode, expected, "{}", path.display());
    if !metadata.is_dir() {
        return 1;
    }
    let entries = fs::read_dir(path).unwrap();
    entries.map(|entry| is_private(&entry.unwrap().path())).sum()
}

on_every_wire! {
    async fn a_server_without_tasks_says_so_and_refuses_them(server: &TestServer) {
        let mut peer = server.connect().await;
        let hello = peer.handshake().await;
        assert!(!hello.capabilities.tasks);
        let limits = hello.limits.expect("they are told");
        assert_eq!((limits.task_output_bytes, limits.task_storage_bytes), (None, None));
        for (method, params) in [
            ("task/submit", json!({"command": "true"})),
            ("task/list", json!({})),
            ("task/get", json!({"taskId": "t"})),
            ("task/summary", json!({})),
            ("task/wait", json!({"taskIds": ["t"]})),
            ("task/stop", json!({"taskId": "t"})),
            ("task/remove", json!({"taskId": "t"})),
            ("task/retry", json!({"taskId": "t"})),
            ("task/write", json!({"taskId": "t", "chunk": ""})),
            ("task/resize", json!({"taskId": "t", "size": {"rows": 1, "cols": 1}})),
            ("task/signal", json!({"taskId": "t", "signal": "kill"})),
            ("task/clean", json!({})),
            ("task/stopGroup", json!({"group": "g"})),
            ("task/lanes", json!({})),
            ("task/logs", json!({"taskId": "t"})),
            ("task/notices", json!({})),
            ("task/ack", json!({"noticeIds": []})),
            ("task/subscribe", json!({})),
        ] {
            is_refused(&mut peer, method, params, "tasksUnavailable").await;
        }
        peer.finish().await;
    }
}

on_every_wire_with_tasks! {
    async fn nobody_else_can_look_at_what_is_kept(server: &TestServer) {
        let mut peer = server.session().await;
        for id in ["a", "b"] {
            peer.run_task(task(id, ["emit", "10"])).await;
        }
        // The lock, the records, and two files of each attempt at least.
        assert!(is_private(&server.state_dir()) >= 6);
        peer.finish().await;
    }
}
