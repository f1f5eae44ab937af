//! What is known of a process beside its output, and the end of it.

use std::time::Duration;

use exec_client::{CallError, Client, CloseDetails, Event, ExitDetails, Process};
use exec_protocol::process::{
    EndReason, Holder, ListParams, ProcessState, Scope, StartParams, StreamBytes, Usage,
};
use exec_protocol::{ErrorKind, Seq};
use serde_json::{Value, json};

use crate::fake::{Peer, listen, process_id, soon};

async fn start(peer: &mut Peer, client: &Client) -> Process {
    let params = StartParams::new(process_id("p"), ["true"]);
    let (process, _) = tokio::join!(client.start(&params), peer.accept_start());
    process.unwrap()
}

fn record(state: &str) -> Value {
    json!({
        "processId": "p", "uid": "u7", "labels": {}, "argv": ["true"], "cwd": "file:///", "pid": 4711,
        "tty": false, "containment": "group", "state": state, "startedAtMs": 1, "bytes": {}, "retainedBytes": 0,
    })
}

#[tokio::test]
async fn an_end_is_told_with_everything_that_is_known_of_it() {
    let (mut peer, client) = Peer::with_client().await;
    let mut process = start(&mut peer, &client).await;
    let exited = json!({
        "processId": "p", "seq": 1, "exitCode": 137, "signal": "SIGKILL", "endReason": "idleTimeout",
        "endedBy": "somebody", "exitedAtMs": 5,
    });
    let closed = json!({
        "processId": "p", "seq": 2, "closedAtMs": 6, "bytes": {"stdout": 1, "stderr": 2, "pty": 3},
        "cpu": {"userMs": 7, "systemMs": 8}, "maxRssBytes": 9, "incomplete": true,
        "heldBy": [{"pid": 10, "command": "sleep 60"}],
    });
    peer.say(&json!({"method": "process/exited", "params": exited}))
        .await;
    peer.say(&json!({"method": "process/closed", "params": closed}))
        .await;
    let details = ExitDetails {
        signal: Some("SIGKILL".into()),
        end_reason: Some(EndReason::IdleTimeout),
        ended_by: Some("somebody".into()),
        exited_at_ms: Some(5),
    };
    let exited = Event::Exited {
        seq: Seq(1),
        exit_code: 137,
        details: details.into(),
    };
    assert_eq!(soon(process.next()).await, Some(exited));
    let details = CloseDetails {
        closed_at_ms: Some(6),
        bytes: Some(StreamBytes {
            stdout: 1,
            stderr: 2,
            pty: 3,
        }),
        cpu: Some(Usage {
            user_ms: 7,
            system_ms: 8,
        }),
        max_rss_bytes: Some(9),
        incomplete: true,
        held_by: vec![Holder {
            pid: 10,
            command: "sleep 60".into(),
        }],
    };
    let closed = Event::Closed {
        seq: Seq(2),
        details: details.into(),
    };
    assert_eq!(soon(process.next()).await, Some(closed));
}

#[tokio::test]
async fn a_reason_that_nobody_has_thought_of_yet_is_no_reason_to_miss_an_exit() {
    let (mut peer, client) = Peer::with_client().await;
    let mut process = start(&mut peer, &client).await;
    let exited = json!({"processId": "p", "seq": 1, "exitCode": 0, "endReason": "outOfMemory"});
    peer.say(&json!({"method": "process/exited", "params": exited}))
        .await;
    let Some(Event::Exited { details, .. }) = soon(process.next()).await else {
        panic!()
    };
    assert_eq!(details.end_reason, Some(EndReason::Other));
}

#[tokio::test]
async fn an_end_that_was_missed_is_told_as_far_as_a_read_knows_it() {
    let (listener, url) = listen().await;
    let (mut peer, client) = Peer::with_client_at(&listener, &url, json!({})).await;
    let mut process = start(&mut peer, &client).await;
    let script = async {
        drop(peer);
        let mut peer = Peer::take_back(&listener).await;
        let (id, _) = peer.expect("process/read").await;
        let state = json!({
            "chunks": [], "nextSeq": 3, "exited": true, "exitCode": 143, "closed": true, "failure": null,
            "sandboxDenied": false, "signal": "SIGTERM", "endReason": "terminated", "incomplete": true,
        });
        peer.answer(&id, state).await;
        peer
    };
    let take = async {
        let details = ExitDetails {
            signal: Some("SIGTERM".into()),
            end_reason: Some(EndReason::Terminated),
            ..ExitDetails::default()
        };
        let exited = Event::Exited {
            seq: Seq(1),
            exit_code: 143,
            details: details.into(),
        };
        assert_eq!(soon(process.next()).await, Some(exited));
        let details = CloseDetails {
            incomplete: true,
            ..CloseDetails::default()
        };
        let closed = Event::Closed {
            seq: Seq(2),
            details: details.into(),
        };
        assert_eq!(soon(process.next()).await, Some(closed));
    };
    tokio::join!(script, take);
}

#[tokio::test]
async fn a_record_is_fetched_and_one_that_expired_comes_with_the_error() {
    let (mut peer, client) = Peer::with_client().await;
    let control = start(&mut peer, &client).await.control();
    let (found, ()) = tokio::join!(soon(control.record()), async {
        let (id, params) = peer.expect("process/get").await;
        assert_eq!(params, json!({"processId": "p"}));
        peer.answer(&id, record("running")).await;
    });
    let found = found.unwrap();
    assert_eq!((found.pid, found.state), (4711, ProcessState::Running));
    let (expired, ()) = tokio::join!(soon(control.record()), async {
        let (id, _) = peer.expect("process/get").await;
        let data = json!({"kind": "expiredProcess", "record": record("closed")});
        let error = json!({"code": -32600, "message": "expired", "data": data});
        peer.say(&json!({"id": id, "error": error})).await;
    });
    let Err(CallError::Rpc(error)) = expired else {
        panic!("{expired:?}")
    };
    assert_eq!(error.kind(), Some(ErrorKind::ExpiredProcess));
    assert_eq!(
        error.data.record.map(|record| record.state),
        Some(ProcessState::Closed)
    );
}

#[tokio::test]
async fn records_are_listed_as_they_were_asked_for() {
    let (mut peer, client) = Peer::with_client().await;
    let params = ListParams {
        state: Some(ProcessState::Closed),
        scope: Scope::Server,
        ..ListParams::default()
    };
    let (records, ()) = tokio::join!(soon(client.list(&params)), async {
        let (id, params) = peer.expect("process/list").await;
        assert_eq!(params, json!({"state": "closed", "scope": "server"}));
        peer.answer(&id, json!({"records": [record("closed")]})).await;
    });
    assert_eq!(records.unwrap().len(), 1);
}

#[tokio::test]
async fn a_process_can_be_forgotten() {
    let (mut peer, client) = Peer::with_client().await;
    let control = start(&mut peer, &client).await.control();
    for forgotten in [false, true] {
        let (outcome, ()) = tokio::join!(soon(control.forget()), async {
            let (id, params) = peer.expect("process/forget").await;
            assert_eq!(params, json!({"processId": "p"}));
            peer.answer(&id, json!({"forgotten": forgotten})).await;
        });
        assert_eq!(outcome.unwrap(), forgotten);
    }
}

#[tokio::test]
async fn the_time_from_asking_to_the_kill_is_told_if_it_is_given() {
    let (mut peer, client) = Peer::with_client().await;
    let control = start(&mut peer, &client).await.control();
    let graces = [
        (None, json!({"processId": "p"})),
        (Some(Duration::ZERO), json!({"processId": "p", "graceMs": 0})),
        (
            Some(Duration::from_micros(2_500_999)),
            json!({"processId": "p", "graceMs": 2500}),
        ),
        (
            Some(Duration::MAX),
            json!({"processId": "p", "graceMs": u64::MAX}),
        ),
    ];
    for (grace, expected) in graces {
        let terminate = async {
            match grace {
                None => control.terminate().await,
                Some(grace) => control.terminate_within(grace).await,
            }
        };
        let (running, ()) = tokio::join!(soon(terminate), async {
            let (id, params) = peer.expect("process/terminate").await;
            assert_eq!(params, expected);
            let end_reason = json!("timeout");
            peer.answer(&id, json!({"running": false, "endReason": end_reason}))
                .await;
        });
        assert!(!running.unwrap());
    }
}

#[tokio::test]
async fn a_session_that_was_closed_is_not_taken_up_again() {
    let (listener, url) = listen().await;
    let (mut peer, client) = Peer::with_client_at(&listener, &url, json!({})).await;
    let mut process = start(&mut peer, &client).await;
    let script = async {
        let (id, params) = peer.expect("session/close").await;
        assert_eq!(params, json!({}));
        peer.closed("p", 1).await;
        peer.answer(&id, json!({})).await;
        assert_eq!(peer.hear().await, None);
        drop(peer);
    };
    let (closed, ()) = tokio::join!(soon(client.close_session()), script);
    closed.unwrap();
    // What was told before is not lost.
    assert_eq!(soon(process.next()).await, Some(crate::fake::closed(1)));
    let again = soon(client.close_session()).await;
    assert!(matches!(again, Err(CallError::Disconnected(_))));
}

#[tokio::test]
async fn a_session_that_cannot_be_closed_goes_on() {
    let (mut peer, client) = Peer::with_client().await;
    let (refused, ()) = tokio::join!(soon(client.close_session()), async {
        let (id, _) = peer.expect("session/close").await;
        peer.refuse(&id, -32601, "methodNotFound").await;
    });
    assert!(matches!(refused, Err(CallError::Rpc(_))));
    start(&mut peer, &client).await;
}
