//! A process whose output is no longer kept.

use exec_tests::{Peer, TestServer, on_every_wire};
use serde_json::json;

use super::{expired, forgetful};
use crate::commands::{on_pipes, on_terminal, with_stdin};
use crate::records::record;

#[tokio::test]
async fn it_is_refused_with_its_record() {
    let server = forgetful();
    let mut peer = server.session().await;
    peer.start(crate::commands::with(
        on_terminal("p", ["exit", "3"]),
        json!({"title": "t", "labels": {"a": "b"}}),
    ))
    .await;
    let running = record(&mut peer, "p").await;
    peer.output_until_closed("p").await;
    expired(&mut peer, "p").await;
    let size = json!({"rows": 1, "cols": 1});
    for name in ["processId", "uid"] {
        let id = if name == "uid" {
            json!(running.uid)
        } else {
            json!("p")
        };
        for (method, params) in [
            ("process/read", json!({name: id})),
            ("process/get", json!({name: id})),
            ("process/resize", json!({name: id, "size": size})),
            ("process/closeStdin", json!({name: id})),
        ] {
            let error = peer.refused(method, params).await;
            assert_eq!(
                (error.code, &error.data.kind[..]),
                (-32600, "expiredProcess"),
                "{method}"
            );
            let record = error.data.record.expect("it has the record");
            assert_eq!((record.process_id.as_str(), &record.uid), ("p", &running.uid));
            assert_eq!((record.title.as_deref(), record.exit_code), (Some("t"), Some(3)));
            assert_eq!(
                (record.pid, record.started_at_ms),
                (running.pid, running.started_at_ms)
            );
            assert!(record.closed_at_ms.is_some(), "{record:?}");
            assert_eq!(record.retained_bytes, 0);
        }
    }
    peer.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn methods_that_have_no_errors_say_that_there_is_nothing() {
    let server = forgetful();
    let mut peer = server.session().await;
    peer.run(with_stdin("p", ["exit", "0"])).await;
    expired(&mut peer, "p").await;
    for (method, params, result) in [
        (
            "process/write",
            json!({"processId": "p", "chunk": "YQ=="}),
            json!({"status": "unknownProcess"}),
        ),
        (
            "process/signal",
            json!({"processId": "p", "signal": "kill"}),
            json!({"delivered": false}),
        ),
        (
            "process/terminate",
            json!({"processId": "p", "graceMs": 0}),
            json!({"running": false, "endReason": "exited"}),
        ),
        (
            "process/forget",
            json!({"processId": "p"}),
            json!({"forgotten": false}),
        ),
        ("process/list", json!({}), json!({"records": []})),
    ] {
        assert_eq!(peer.call(method, params).await, result, "{method}");
    }
    peer.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn its_id_can_be_used_again_and_its_uid_stays_its_own() {
    let server = forgetful();
    let mut peer = server.session().await;
    peer.start(on_pipes("p", ["exit", "1"])).await;
    let first = record(&mut peer, "p").await.uid;
    peer.output_until_closed("p").await;
    expired(&mut peer, "p").await;
    peer.start(with_stdin("p", ["echo"])).await;
    let second = record(&mut peer, "p").await;
    assert_ne!(second.uid, first);
    assert_eq!(second.exit_code, None);
    let error = peer.refused("process/get", json!({"uid": first})).await;
    assert_eq!(error.data.kind, "expiredProcess", "{error:?}");
    assert_eq!(error.data.record.and_then(|record| record.exit_code), Some(1));
    peer.terminate("p").await;
    peer.finish().await;
    server.finish().await;
}

on_every_wire! {
    async fn until_then_the_id_is_taken_also_when_the_process_has_ended(server: &TestServer) {
        let mut peer = server.session().await;
        peer.start(with_stdin("p", ["echo"])).await;
        for _ in 0..2 {
            let error = peer.refused("process/start", on_pipes("p", ["exit", "0"])).await;
            assert_eq!((error.code, &error.data.kind[..]), (-32600, "duplicateProcess"));
            assert_eq!(error.data.field.as_deref(), Some("processId"));
            if record(&mut peer, "p").await.exit_code.is_none() {
                peer.terminate("p").await;
            }
        }
        peer.finish().await;
    }

    async fn a_start_that_fails_takes_no_id(peer: &mut Peer) {
        for _ in 0..2 {
            let error = peer.refused("process/start", json!({"processId": "p", "argv": ["/no/such/program"]})).await;
            assert_eq!(error.data.kind, "programNotFound");
            assert_eq!(peer.refused("process/get", json!({"processId": "p"})).await.data.kind, "unknownProcess");
        }
        peer.run(on_pipes("p", ["exit", "0"])).await;
    }
}
