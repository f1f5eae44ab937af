//! What the client acknowledges, and to whom.

use exec_client::{CallError, Client, Event, Process};
use exec_protocol::Seq;
use exec_protocol::process::{OnSlowClient, StartParams};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::fake::{Peer, closed, listen, output, process_id, soon};

/// What the client says of all that was told.
const ALL_TOLD: u64 = (1 << 53) - 1;

/// The events after which the client acknowledges, if they are small.
const EVENTS: u64 = 64;

fn start(name: &str) -> StartParams {
    StartParams::new(process_id(name), ["true"])
}

/// A client on its first connection, of a server that wants acknowledgements.
async fn connect(listener: &TcpListener, url: &str) -> (Peer, Client) {
    Peer::with_client_at(listener, url, json!({"ack": true, "retainBytes": true})).await
}

/// Starts a process that is to be acknowledged.
async fn begin(peer: &mut Peer, client: &Client, params: &StartParams) -> Process {
    let script = async {
        let (id, params) = peer.expect("process/start").await;
        // Before the answer: the first output may come before it, too.
        assert_eq!(
            acknowledged(peer).await,
            json!({"processId": params["processId"], "seq": 0})
        );
        let result = json!({"processId": params["processId"], "sandboxType": "none"});
        peer.answer(&id, result).await;
    };
    let (process, ()) = tokio::join!(client.start(params), script);
    process.unwrap()
}

/// What is acknowledged next, before anything else is said.
async fn acknowledged(peer: &mut Peer) -> Value {
    let (id, params) = peer.expect("process/ack").await;
    assert_eq!(id, Value::Null);
    params
}

/// The client says nothing before this call.
async fn expect_silence(peer: &mut Peer, process: &Process) {
    let control = process.control();
    let (running, ()) = tokio::join!(soon(control.terminate()), async {
        let (id, _) = peer.expect("process/terminate").await;
        peer.answer(&id, json!({"running": true})).await;
    });
    assert!(running.unwrap());
}

async fn take(process: &mut Process, seqs: std::ops::RangeInclusive<u64>) {
    for seq in seqs {
        assert_eq!(soon(process.next()).await, Some(output(seq)));
    }
}

#[tokio::test]
async fn what_was_taken_is_acknowledged_and_not_what_arrived() {
    let (listener, url) = listen().await;
    let (mut peer, client) = connect(&listener, &url).await;
    let mut process = begin(&mut peer, &client, &start("p")).await;
    for seq in 1..=2 * EVENTS {
        peer.output("p", seq).await;
    }
    take(&mut process, 1..=EVENTS - 1).await;
    expect_silence(&mut peer, &process).await;
    take(&mut process, EVENTS..=EVENTS).await;
    assert_eq!(
        acknowledged(&mut peer).await,
        json!({"processId": "p", "seq": EVENTS})
    );
    take(&mut process, EVENTS + 1..=2 * EVENTS).await;
    assert_eq!(
        acknowledged(&mut peer).await,
        json!({"processId": "p", "seq": 2 * EVENTS})
    );
}

#[tokio::test]
async fn half_of_what_the_server_keeps_is_acknowledged_at_once() {
    const RETAIN_BYTES: u64 = 16 << 10;
    let (listener, url) = listen().await;
    let (mut peer, client) = connect(&listener, &url).await;
    let params = StartParams {
        retain_bytes: Some(RETAIN_BYTES),
        ..start("p")
    };
    let mut process = begin(&mut peer, &client, &params).await;
    let half = "x".repeat(usize::try_from(RETAIN_BYTES / 2).unwrap());
    for (seq, text) in [(1, &half[1..]), (2, "x"), (3, &half)] {
        peer.output_of("p", seq, text.into()).await;
    }
    soon(process.next()).await.unwrap();
    expect_silence(&mut peer, &process).await;
    for seq in 2..=3 {
        soon(process.next()).await.unwrap();
        assert_eq!(
            acknowledged(&mut peer).await,
            json!({"processId": "p", "seq": seq})
        );
    }
}

#[tokio::test]
async fn a_new_connection_is_told_again_what_was_taken() {
    let (listener, url) = listen().await;
    let (mut peer, client) = connect(&listener, &url).await;
    let mut process = begin(&mut peer, &client, &start("p")).await;
    peer.output("p", 1).await;
    take(&mut process, 1..=1).await;
    let script = async {
        drop(peer);
        let mut peer = Peer::take_back(&listener).await;
        let mut said = [peer.hear().await.unwrap(), peer.hear().await.unwrap()];
        said.sort_by_key(|message| message["method"].to_string());
        assert_eq!(said[0]["method"], "process/ack");
        assert_eq!(said[0]["params"], json!({"processId": "p", "seq": 1}));
        assert_eq!(said[1]["method"], "process/read");
        peer.answer_read(&said[1]["id"], &said[1]["params"], 2..EVENTS + 2)
            .await;
        peer
    };
    let (mut peer, ()) = tokio::join!(script, take(&mut process, 2..=EVENTS + 1));
    // Counted from what the new connection was told.
    assert_eq!(
        acknowledged(&mut peer).await,
        json!({"processId": "p", "seq": EVENTS + 1})
    );
}

#[tokio::test]
async fn a_process_nobody_listens_to_does_not_wait_for_anybody() {
    let (listener, url) = listen().await;
    let (mut peer, client) = connect(&listener, &url).await;
    let process = begin(&mut peer, &client, &start("p")).await;
    let all_told = json!({"processId": "p", "seq": ALL_TOLD});
    drop(process);
    assert_eq!(acknowledged(&mut peer).await, all_told);
    peer.output("p", 1).await;
    peer.output_of("p", 2, "x".repeat(128)).await;
    assert_eq!(acknowledged(&mut peer).await, json!({"processId": "p", "seq": 2}));
    drop(peer);
    let mut peer = Peer::take_back(&listener).await;
    assert_eq!(acknowledged(&mut peer).await, all_told);
    // Another process of this id has a consumer.
    let process = begin(&mut peer, &client, &start("p")).await;
    expect_silence(&mut peer, &process).await;
    drop(peer);
    let mut peer = Peer::take_back(&listener).await;
    expect_silence(&mut peer, &process).await;
}

#[tokio::test]
async fn what_is_said_of_a_process_comes_before_the_next_of_its_id() {
    let (listener, url) = listen().await;
    let (mut peer, client) = connect(&listener, &url).await;
    drop(begin(&mut peer, &client, &start("p")).await);
    let params = start("p");
    let script = async {
        assert_eq!(acknowledged(&mut peer).await["seq"], ALL_TOLD);
        peer.accept_start().await;
        assert_eq!(acknowledged(&mut peer).await["seq"], 0);
    };
    let (process, ()) = tokio::join!(client.start(&params), script);
    process.unwrap();
}

#[tokio::test]
async fn a_start_that_is_dropped_leaves_nothing_to_wait_for() {
    let (listener, url) = listen().await;
    let (mut peer, client) = connect(&listener, &url).await;
    let params = start("p");
    tokio::select! {
        _ = client.start(&params) => panic!("nobody has answered"),
        _ = peer.expect("process/start") => {}
    }
    assert_eq!(acknowledged(&mut peer).await["seq"], 0);
    assert_eq!(acknowledged(&mut peer).await["seq"], ALL_TOLD);
}

#[tokio::test]
async fn what_has_ended_or_never_began_is_not_acknowledged() {
    let (listener, url) = listen().await;
    let (mut peer, client) = connect(&listener, &url).await;
    let mut process = begin(&mut peer, &client, &start("p")).await;
    peer.closed("p", 1).await;
    assert_eq!(soon(process.next()).await, Some(closed(1)));
    drop(process);
    let params = start("q");
    let (refused, ()) = tokio::join!(client.start(&params), async {
        let (id, _) = peer.expect("process/start").await;
        assert_eq!(acknowledged(&mut peer).await["seq"], 0);
        peer.refuse(&id, -32603, "programNotFound").await;
    });
    assert!(matches!(refused, Err(CallError::Rpc(_))));
    let process = begin(&mut peer, &client, &start("r")).await;
    expect_silence(&mut peer, &process).await;
}

#[tokio::test]
async fn a_process_that_never_waits_is_not_acknowledged_and_its_gaps_are_told() {
    let (listener, url) = listen().await;
    let (mut peer, client) = connect(&listener, &url).await;
    let params = StartParams {
        on_slow_client: Some(OnSlowClient::Skip),
        ..start("p")
    };
    let (process, _) = tokio::join!(client.start(&params), peer.accept_start());
    let mut process = process.unwrap();
    peer.gap("p", 1..=EVENTS).await;
    peer.output("p", EVENTS + 1).await;
    let gap = Event::Gap {
        from_seq: Seq(1),
        to_seq: Seq(EVENTS),
        bytes: Some(10 * EVENTS),
    };
    assert_eq!(soon(process.next()).await, Some(gap));
    take(&mut process, EVENTS + 1..=EVENTS + 1).await;
    expect_silence(&mut peer, &process).await;
}

#[tokio::test]
async fn without_a_way_back_nothing_is_acknowledged() {
    let (mut peer, client) = Peer::with_client_of(json!({"ack": true})).await;
    let params = start("p");
    let (process, _) = tokio::join!(client.start(&params), peer.accept_start());
    let mut process = process.unwrap();
    for seq in 1..=EVENTS {
        peer.output("p", seq).await;
        take(&mut process, seq..=seq).await;
    }
    expect_silence(&mut peer, &process).await;
}
