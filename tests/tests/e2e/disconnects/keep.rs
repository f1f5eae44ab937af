//! `onDisconnect: keep`: processes that outlive their sessions.

use exec_protocol::process::{EndReason, ProcessState, Read, ReadParams};
use exec_protocol::{Seq, Uid};
use exec_server::Config;
use exec_tests::wait::within_patience;
use exec_tests::{Marker, Peer, TestServer, base64, on_every_wire, on_wires};
use serde_json::{Value, json};

use super::{SHORT_LIVED, on_both};
use crate::commands::{on_pipes, on_terminal, script, with, with_stdin};
use crate::records::{record, record_of};

fn keep(params: Value) -> Value {
    with(params, json!({"onDisconnect": "keep"}))
}

/// Starts a process that is kept, and one beside it that is not, and lets their session be over.
async fn outlives(server: &TestServer, kept: Value) -> Uid {
    let marker = Marker::new();
    let mut peer = server.session().await;
    peer.start(marker.on(on_pipes("beside", ["never-read"]))).await;
    let id = kept["processId"].as_str().expect("it has an id").to_owned();
    peer.start(kept).await;
    let uid = record(&mut peer, &id).await.uid;
    peer.hang_up();
    marker.ended().await;
    uid
}

/// What a list with this scope has.
async fn listed(peer: &mut Peer, scope: &str) -> Vec<String> {
    let list = peer.call("process/list", json!({"scope": scope})).await;
    let records = list["records"].as_array().expect("it is a list").clone();
    records
        .iter()
        .map(|record| record["uid"].as_str().expect("it has a uid").to_owned())
        .collect()
}

/// Waits until a process is in this state, by reading its record.
async fn reaches(peer: &mut Peer, uid: &Uid, state: ProcessState) {
    let looking = async { while record_of(peer, uid.clone()).await.state != state {} };
    within_patience("the process to come so far", looking).await;
}

#[tokio::test]
async fn it_is_found_and_used_from_another_session() {
    on_both(SHORT_LIVED, async |server| {
        let marker = Marker::new();
        let uid = outlives(server, marker.on(keep(with_stdin("k", ["echo"])))).await;
        let mut peer = server.session().await;
        assert_eq!(listed(&mut peer, "server").await, [uid.as_str()]);
        assert_eq!(listed(&mut peer, "session").await, [""; 0]);
        assert_eq!(
            peer.refused("process/get", json!({"processId": "k"}))
                .await
                .data
                .kind,
            "unknownProcess"
        );
        let running = record_of(&mut peer, uid.clone()).await;
        assert_eq!(
            (running.process_id.as_str(), running.state),
            ("k", ProcessState::Running)
        );

        let write = json!({"uid": uid, "chunk": base64("text")});
        assert_eq!(peer.call("process/write", write).await["status"], "accepted");
        let answer = peer
            .call("process/read", json!({"uid": uid, "waitMs": 30_000}))
            .await;
        assert_eq!(answer["chunks"][0]["chunk"], base64("text"));
        assert_eq!(
            peer.call("process/terminate", json!({"uid": uid})).await["running"],
            true
        );
        reaches(&mut peer, &uid, ProcessState::Closed).await;
        marker.ended().await;
        let closed = record_of(&mut peer, uid.clone()).await;
        assert_eq!(
            (closed.end_reason, closed.ended_by.as_deref()),
            (Some(EndReason::Terminated), Some("exec-tests"))
        );
        assert_eq!(
            peer.call("process/forget", json!({"uid": uid})).await,
            json!({"forgotten": true})
        );
        assert_eq!(listed(&mut peer, "server").await, [""; 0]);
        // It was told nothing of the process, or there would be something unclaimed.
        peer.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_terminal_can_be_resized_and_interrupted_from_another_session() {
    on_both(SHORT_LIVED, async |server| {
        let uid = outlives(server, keep(on_terminal("k", ["size", "watch"]))).await;
        let mut peer = server.session().await;
        let size = json!({"rows": 30, "cols": 90});
        assert_eq!(
            peer.call("process/resize", json!({"uid": uid, "size": size}))
                .await,
            json!({})
        );
        assert_eq!(json!(record_of(&mut peer, uid.clone()).await.size), size);
        let signal = json!({"uid": uid, "signal": "interrupt"});
        assert_eq!(
            peer.call("process/signal", signal).await,
            json!({"delivered": true})
        );
        reaches(&mut peer, &uid, ProcessState::Closed).await;
        assert_eq!(
            record_of(&mut peer, uid.clone()).await.signal.as_deref(),
            Some("SIGINT")
        );
        peer.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_it_says_without_a_session_holds_it_up_as_little_as_without_a_connection() {
    on_both(SHORT_LIVED, async |server| {
        const BYTES: u64 = 5_000_000;
        let go = tempfile::tempdir().expect("there is room for a directory");
        let file = go.path().join("go");
        let text = format!(
            "until [ -e {} ]; do sleep 0.02; done; exec {} blocks {BYTES}",
            file.display(),
            exec_tests::fixture::path()
        );
        let uid = outlives(
            server,
            keep(with(
                script("k", &text),
                json!({"env": {"PATH": "/usr/bin:/bin"}}),
            )),
        )
        .await;
        std::fs::write(&file, "").expect("a file can be made");
        let mut peer = server.session().await;
        reaches(&mut peer, &uid, ProcessState::Closed).await;
        let answer = peer.call_typed::<Read>(&ReadParams::after_seq(uid, Seq(0))).await;
        assert_eq!((answer.exit_code, answer.end_offset), (Some(0), Some(BYTES)));
        let gap = answer.gap.expect("more was said than is kept");
        let first = answer.chunks.first().expect("the newest is kept");
        assert_eq!(first.offset, Some(gap.to_offset));
        exec_tests::blocks::check(gap.to_offset, &first.chunk.0);
        peer.finish().await;
    })
    .await;
}

#[tokio::test]
async fn with_the_server_it_ends() {
    on_both(SHORT_LIVED, async |server| {
        let marker = Marker::new();
        outlives(
            server,
            marker.on(keep(with(
                on_pipes("k", ["ignore-term"]),
                json!({"graceMs": 100}),
            ))),
        )
        .await;
        marker.running(1).await;
        match server.process() {
            None => assert!(
                within_patience("the shutdown", server.in_process().shutdown())
                    .await
                    .is_complete
            ),
            Some(process) => process.signal(rustix::process::Signal::TERM),
        }
        marker.ended().await;
    })
    .await;
}

on_wires! {
    [memory, websocket]
    async fn others_see_it_while_its_own_session_lives_and_are_not_told(server: &TestServer) {
        let mut owner = server.session().await;
        owner.start(keep(with_stdin("k", ["echo"]))).await;
        let uid = record(&mut owner, "k").await.uid;
        assert_eq!(listed(&mut owner, "session").await, [uid.as_str()]);
        assert_eq!(listed(&mut owner, "server").await, [uid.as_str()], "once");
        let mut other = server.session().await;
        assert_eq!(listed(&mut other, "server").await, [uid.as_str()]);
        assert_eq!(listed(&mut other, "session").await, [""; 0]);
        // The other's own process of the same name is another one.
        other.run(on_pipes("k", ["exit", "3"])).await;
        assert_eq!(record(&mut other, "k").await.exit_code, Some(3));
        let write = json!({"uid": uid, "chunk": base64("from the other"), "eof": true});
        assert_eq!(other.call("process/write", write).await["status"], "accepted");
        assert_eq!(owner.output_until_closed("k").await.text(), "from the other");
        assert_eq!(other.call("process/forget", json!({"uid": uid})).await, json!({"forgotten": true}));
        assert_eq!(owner.refused("process/get", json!({"processId": "k"})).await.data.kind, "unknownProcess");
        owner.finish().await;
        other.finish().await;
    }

    [memory, websocket]
    async fn it_outlives_a_session_that_is_closed(server: &TestServer) {
        let mut peer = server.session().await;
        peer.start(keep(with_stdin("k", ["echo"]))).await;
        let uid = record(&mut peer, "k").await.uid;
        peer.start(on_pipes("p", ["never-read"])).await;
        assert_eq!(peer.call("session/close", json!({})).await, json!({}));
        peer.output_until_closed("p").await;
        peer.finish().await;
        let mut other = server.session().await;
        assert_eq!(record_of(&mut other, uid.clone()).await.state, ProcessState::Running);
        assert_eq!(other.call("process/terminate", json!({"uid": uid, "graceMs": 0})).await["running"], true);
        reaches(&mut other, &uid, ProcessState::Closed).await;
        other.finish().await;
    }

    [memory, websocket]
    async fn a_start_that_fails_leaves_nothing_to_find(server: &TestServer) {
        let mut peer = server.session().await;
        let error = peer.refused("process/start", keep(json!({"processId": "k", "argv": ["/no/such/program"]}))).await;
        assert_eq!(error.data.kind, "programNotFound");
        assert_eq!(listed(&mut peer, "server").await, [""; 0]);
        peer.finish().await;
    }
}

on_every_wire! {
    async fn where_nobody_could_reach_it_again_it_is_refused(server: &TestServer) {
        let mut peer = server.connect().await;
        let is_kept = peer.handshake().await.capabilities.keep;
        assert_eq!(is_kept, server.wire != exec_tests::Wire::Stdio);
        let params = keep(on_pipes("k", ["exit", "0"]));
        if is_kept {
            peer.run(params).await;
        } else {
            let error = peer.refused("process/start", params).await;
            assert_eq!((error.code, &error.data.kind[..]), (-32602, "keepUnsupported"));
            assert_eq!(error.data.field.as_deref(), Some("onDisconnect"));
            peer.run(on_pipes("k", ["exit", "0"])).await;
        }
        peer.finish().await;
    }
}

#[tokio::test]
async fn an_embedder_may_forbid_it() {
    let server = TestServer::embedded(Config {
        keep: false,
        ..Config::default()
    });
    let mut peer = server.connect().await;
    assert!(!peer.handshake().await.capabilities.keep);
    let error = peer
        .refused("process/start", keep(on_pipes("k", ["exit", "0"])))
        .await;
    assert_eq!(error.data.kind, "keepUnsupported");
    peer.finish().await;
    server.finish().await;
}
