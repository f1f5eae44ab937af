//! What a server says about itself.

use std::time::{SystemTime, UNIX_EPOCH};

use exec_protocol::Empty;
use exec_protocol::server::{Info, Stats, StatsResult};

use exec_tests::{Peer, TestServer, Wire, fixture, on_every_wire, on_wires, wait};
use serde_json::{Value, json};

use crate::witness;

pub(crate) async fn stats(peer: &mut Peer) -> StatsResult {
    peer.call_typed::<Stats>(&Empty {}).await
}

/// Asks until the answer is as it should be.
pub(crate) async fn stats_with(
    peer: &mut Peer,
    what: &str,
    is_so: impl Fn(&StatsResult) -> bool,
) -> StatsResult {
    let asking = async {
        loop {
            let stats = stats(peer).await;
            if is_so(&stats) {
                return stats;
            }
        }
    };
    wait::within_patience(what, asking).await
}

fn unix_ms() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is later than 1970");
    u64::try_from(now.as_millis()).expect("it is not that late")
}

on_every_wire! {
    async fn who_can_ask_is_told_that_the_environment_is_ready(peer: &mut Peer) {
        for params in [Value::Null, json!({}), json!({"unknown": 1})] {
            assert_eq!(peer.call("environment/status", params).await, json!({"status": "ready"}));
        }
    }

    async fn the_environment_is_told_again_as_at_the_beginning(server: &TestServer) {
        let mut peer = server.connect().await;
        let hello = peer.call("initialize", json!({"clientName": "t"})).await;
        peer.notify("initialized", json!({})).await;
        for _ in 0..2 {
            let info = peer.call("environment/info", Value::Null).await;
            assert_eq!(info, hello["environmentInfo"]);
            assert!(info["shell"]["path"].as_str().unwrap().starts_with('/'), "{info}");
            assert_eq!(info["platformOs"], std::env::consts::OS);
            for directory in [&info["cwd"], &info["tempDir"]] {
                // It is a path that files can be asked for by.
                let metadata = peer.call("fs/getMetadata", json!({"path": directory})).await;
                assert_eq!(metadata["isDirectory"], true, "{directory}");
            }
        }
        peer.finish().await;
    }

    async fn a_server_says_which_one_it_is_and_since_when(server: &TestServer) {
        let mut peer = server.connect().await;
        let hello = peer.handshake().await;
        assert!(hello.capabilities.server_stats);
        let identity = hello.server_info.expect("it says");
        let info = peer.call_typed::<Info>(&Empty {}).await;
        assert_eq!((info.name, info.version), (identity.name, identity.version));
        let pid = match server.wire {
            Wire::Memory => std::process::id(),
            Wire::Stdio | Wire::Websocket => server.process().expect("it has one").pid,
        };
        assert_eq!(info.pid, pid);
        assert!(info.started_at_ms + info.uptime_ms <= unix_ms() + 1000, "{} + {}", info.started_at_ms, info.uptime_ms);
        let later = stats_with(&mut peer, "time to pass", |stats| stats.uptime_ms > info.uptime_ms).await;
        assert!(later.uptime_ms < 60_000, "{later:?}");
        peer.finish().await;
    }

    async fn what_is_there_is_counted_when_asked(peer: &mut Peer) {
        let before = stats(peer).await;
        assert_eq!((before.connections.open, before.connections.accepted, before.connections.refused), (1, 1, 0));
        assert_eq!((before.sessions.open, before.sessions.attached, before.sessions.opened), (1, 1, 1));
        assert_eq!((before.processes.running, before.starts.spawned), (0, 0));
        assert_eq!((before.memory.output_bytes, before.memory.reserved_bytes), (0, 0));
        assert!(before.memory.cap_bytes > 0);

        witness::start(peer).await;
        witness::answers(peer, "here").await;
        let said = peer.run(json!({"processId": "p", "argv": fixture::argv(["emit", "100000"])})).await;
        assert_eq!(said.stdout.len(), 100_000);
        let what = "the ended process to be kept";
        let during = stats_with(peer, what, |stats| stats.processes.closed == 1).await;
        assert_eq!((during.processes.running, during.processes.exited, during.starts.spawned), (1, 0, 2));
        assert!(during.memory.output_bytes >= 100_000, "{:?}", during.memory);
        assert!(during.memory.output_bytes <= during.memory.reserved_bytes, "{:?}", during.memory);

        witness::end(peer).await;
        let after = stats_with(peer, "both to be kept", |stats| stats.processes.closed == 2).await;
        assert_eq!((after.processes.running, after.processes.exited), (0, 0));
        assert!(after.memory.reserved_bytes < during.memory.reserved_bytes, "{:?}", after.memory);
    }

    async fn answers_and_refusals_are_counted_once(peer: &mut Peer) {
        let before = stats(peer).await;
        assert_eq!(before.requests.errors.len(), 0, "{:?}", before.requests);
        peer.refused("no/such", json!({})).await;
        peer.refused("process/read", json!({"processId": "none"})).await;
        peer.refused("process/resize", json!({"processId": 7})).await;
        peer.refused("process/start", json!({"processId": "p", "argv": ["/no/such/program"]})).await;
        peer.refused("process/start", json!({"processId": "p", "argv": []})).await;
        peer.send_text(r#"[{"id":"a","method":"no/such"},{"id":"b","method":"environment/info"},7]"#).await;
        peer.claim("the batch", serde_json::Value::is_array).await;
        peer.send_text("{").await;
        peer.claim("a refusal", |message| message["id"].is_null()).await;
        let after = stats(peer).await;
        let errors = json!({
            "methodNotFound": 2,
            "unknownProcess": 1,
            "invalidParams": 1,
            "programNotFound": 1,
            "emptyArgv": 1,
            "invalidRequest": 1,
            "parseError": 1,
        });
        assert_eq!(json!(after.requests.errors), errors);
        // The answer to the first question is among them, that to this one is not.
        assert_eq!(after.requests.answered, before.requests.answered + 1 + 5 + 3 + 1);
        assert_eq!(json!(after.starts), json!({"spawned": 0, "failed": {"programNotFound": 1, "emptyArgv": 1}}));
    }
}

on_wires! {
    [memory, websocket]
    async fn connections_come_and_go_and_sessions_stay_a_while(server: &TestServer) {
        let mut one = server.session().await;
        let other = server.session().await;
        let both = stats(&mut one).await;
        assert_eq!((both.connections.open, both.sessions.open, both.sessions.attached), (2, 2, 2));
        other.finish().await;
        let what = "a connection to go";
        let left = stats_with(&mut one, what, |stats| stats.connections.open == 1).await;
        assert_eq!((left.connections.accepted, left.sessions.open, left.sessions.attached), (2, 2, 1));
        one.finish().await;
    }

    [memory]
    /// It has exited, and its grandchild holds the output.
    async fn an_exited_process_that_is_not_closed_is_neither_running_nor_closed(peer: &mut Peer) {
        peer.start(json!({"processId": "p", "argv": ["/bin/sh", "-c", "sleep 60 & echo $!"]})).await;
        peer.exited("p").await;
        let processes = stats(peer).await.processes;
        assert_eq!((processes.running, processes.exited, processes.closed), (0, 1, 0));
        peer.call("process/terminate", json!({"processId": "p"})).await;
        peer.output_until_closed("p").await;
    }
}
