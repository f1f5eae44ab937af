//! Starts, and what is known of a process from there on.

use exec_client::{CallError, Event};
use exec_protocol::StartKey;
use exec_protocol::process::StartParams;
use serde_json::{Value, json};

use crate::fake::{Peer, listen, output, process_id, soon};

fn start(name: &str) -> StartParams {
    StartParams::new(process_id(name), ["true"])
}

/// What a server says of a process that it has given a name.
fn named(name: &str) -> Value {
    json!({
        "processId": name, "sandboxType": "none", "uid": "u7", "pid": 4711, "startedAtMs": 1_763_700_000_000_u64,
    })
}

#[tokio::test]
async fn a_start_whose_answer_was_lost_is_repeated_as_the_same_start() {
    let (listener, url) = listen().await;
    let (mut peer, client) = Peer::with_client_at(&listener, &url, json!({"startKey": true})).await;
    let params = start("p");
    let script = async {
        let (_, first) = peer.expect("process/start").await;
        peer.output("p", 1).await;
        drop(peer);
        let mut peer = Peer::take_back(&listener).await;
        let (id, again) = peer.expect("process/start").await;
        assert!(first["startKey"].is_string());
        assert_eq!(first, again);
        peer.answer(&id, named("p")).await;
        // What was told on the first connection may be lost with it.
        loop {
            peer.serve_read(1..3).await;
        }
    };
    let take = async {
        let mut process = soon(client.start(&params)).await.unwrap();
        for seq in 1..=2 {
            assert_eq!(soon(process.next()).await, Some(output(seq)));
        }
    };
    tokio::select! {
        () = script => {}
        () = take => {}
    }
}

#[tokio::test]
async fn every_start_has_a_key_of_its_own_unless_it_is_given_one() {
    let (mut peer, client) = Peer::with_client_of(json!({"startKey": true})).await;
    let given = StartParams {
        start_key: Some(StartKey::new("mine").unwrap()),
        ..start("r")
    };
    let mut keys = Vec::new();
    for params in [start("p"), start("q"), given] {
        let (process, mut said) = tokio::join!(client.start(&params), peer.accept_start());
        process.unwrap();
        keys.push(said["startKey"].take());
    }
    assert!(keys[0].is_string() && keys[1].is_string());
    assert_ne!(keys[0], keys[1]);
    assert_eq!(keys[2], "mine");
}

#[tokio::test]
async fn a_server_without_start_keys_is_sent_none_and_asked_once() {
    let (listener, url) = listen().await;
    let (mut peer, client) = Peer::with_client_at(&listener, &url, json!({})).await;
    let params = start("p");
    let (started, peer) = tokio::join!(soon(client.start(&params)), async {
        let (_, said) = peer.expect("process/start").await;
        assert_eq!(said.get("startKey"), None);
        drop(peer);
        Peer::take_back(&listener).await
    });
    assert!(matches!(started, Err(CallError::Disconnected(_))));
    drop(peer);
}

#[tokio::test]
async fn a_repeated_start_is_given_up_with_the_session() {
    let (listener, url) = listen().await;
    let (mut peer, client) = Peer::with_client_at(&listener, &url, json!({"startKey": true})).await;
    let params = start("p");
    let (started, ()) = tokio::join!(soon(client.start(&params)), async {
        peer.expect("process/start").await;
        drop(peer);
        let mut peer = Peer::accept(&listener).await;
        let (id, _) = peer.expect("initialize").await;
        peer.refuse(&id, -32600, "unknownSession").await;
        assert_eq!(peer.hear().await, None);
    });
    assert!(matches!(started, Err(CallError::Disconnected(_))));
}

/// On the new connection the process may be there already, under the id of one that nobody listened to.
#[tokio::test]
async fn what_a_repeated_start_said_is_not_acknowledged_for_the_process_before() {
    let (listener, url) = listen().await;
    let capabilities = json!({"startKey": true, "ack": true});
    let (mut peer, client) = Peer::with_client_at(&listener, &url, capabilities).await;
    let params = start("p");
    let (process, _) = tokio::join!(client.start(&params), peer.accept_start());
    assert_eq!(peer.expect("process/ack").await.1["seq"], 0);
    drop(process.unwrap());
    assert_ne!(peer.expect("process/ack").await.1["seq"], 0);
    let script = async {
        peer.expect("process/start").await;
        assert_eq!(peer.expect("process/ack").await.1["seq"], 0);
        drop(peer);
        let mut peer = Peer::take_back(&listener).await;
        loop {
            let message = peer.hear().await.expect("the client hung up");
            if message["method"] == "process/start" {
                peer.answer(&message["id"], named("p")).await;
                return peer;
            }
            assert_eq!(message["method"], "process/ack");
            assert_eq!(message["params"]["seq"], 0, "nobody took anything of it");
        }
    };
    let (started, _peer) = tokio::join!(soon(client.start(&params)), script);
    started.unwrap();
}

#[tokio::test]
async fn a_refused_start_leaves_the_process_before_without_a_listener() {
    let (listener, url) = listen().await;
    let (mut peer, client) = Peer::with_client_at(&listener, &url, json!({"ack": true})).await;
    let params = start("p");
    let (process, _) = tokio::join!(client.start(&params), peer.accept_start());
    assert_eq!(peer.expect("process/ack").await.1["seq"], 0);
    drop(process.unwrap());
    let forsaken = peer.expect("process/ack").await.1;
    let (refused, ()) = tokio::join!(client.start(&params), async {
        let (id, _) = peer.expect("process/start").await;
        assert_eq!(peer.expect("process/ack").await.1["seq"], 0);
        peer.refuse(&id, -32600, "duplicateProcess").await;
    });
    assert!(matches!(refused, Err(CallError::Rpc(_))));
    // It may have said something meanwhile that nobody takes.
    assert_eq!(peer.expect("process/ack").await.1, forsaken);
    drop(peer);
    let mut peer = Peer::take_back(&listener).await;
    assert_eq!(peer.expect("process/ack").await.1, forsaken);
}

#[tokio::test]
async fn what_the_server_says_at_the_start_is_known_to_every_handle() {
    let (mut peer, client) = Peer::with_client().await;
    let params = start("p");
    let (process, ()) = tokio::join!(client.start(&params), async {
        let (id, _) = peer.expect("process/start").await;
        peer.answer(&id, named("p")).await;
    });
    let process = process.unwrap();
    let control = process.control();
    for uid in [process.uid(), control.uid()] {
        assert_eq!(uid.map(exec_protocol::Uid::as_str), Some("u7"));
    }
    assert_eq!((process.pid(), control.pid()), (Some(4711), Some(4711)));
    let started_at_ms = Some(1_763_700_000_000);
    assert_eq!(
        (process.started_at_ms(), control.started_at_ms()),
        (started_at_ms, started_at_ms)
    );
}

#[tokio::test]
async fn a_server_of_the_core_gives_no_names() {
    let (mut peer, client) = Peer::with_client().await;
    let params = start("p");
    let (process, _) = tokio::join!(client.start(&params), peer.accept_start());
    let mut process = process.unwrap();
    assert_eq!(
        (process.uid(), process.pid(), process.started_at_ms()),
        (None, None, None)
    );
    drop(peer);
    assert_eq!(soon(process.next()).await, Some(Event::Disconnected));
}
