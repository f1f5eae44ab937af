//! What the client no longer waits for.

use std::time::Duration;

use exec_client::{Client, ProcessControl};
use exec_protocol::Seq;
use exec_protocol::process::{Read, ReadParams, StartParams};
use serde_json::{Value, json};

use crate::fake::{Peer, listen, process_id, soon};

const LONG: Duration = Duration::from_mins(1);

async fn start(peer: &mut Peer, client: &Client) -> ProcessControl {
    let params = StartParams::new(process_id("p"), ["true"]);
    let (process, _) = tokio::join!(client.start(&params), peer.accept_start());
    process.unwrap().control()
}

/// Drops a read that waits, as soon as the server has it; its id.
async fn drop_read(peer: &mut Peer, control: &ProcessControl) -> Value {
    tokio::select! {
        _ = control.read(Seq::ZERO, None, LONG) => panic!("nobody has answered"),
        (id, _) = peer.expect("process/read") => id,
    }
}

/// The client says nothing before this call.
async fn expect_silence(peer: &mut Peer, control: &ProcessControl) {
    let (running, ()) = tokio::join!(soon(control.terminate()), async {
        let (id, _) = peer.expect("process/terminate").await;
        peer.answer(&id, json!({"running": true})).await;
    });
    assert!(running.unwrap());
}

#[tokio::test]
async fn a_read_that_was_dropped_is_cancelled() {
    let (mut peer, client) = Peer::with_client_of(json!({"cancel": true})).await;
    let control = start(&mut peer, &client).await;
    let id = drop_read(&mut peer, &control).await;
    let (notice, params) = peer.expect("$/cancelRequest").await;
    assert_eq!((notice, params), (Value::Null, json!({"id": id})));
    // The answer is nobody's business any more.
    peer.refuse(&id, -32800, "cancelled").await;
    expect_silence(&mut peer, &control).await;
}

#[tokio::test]
async fn a_read_by_hand_is_cancelled_too() {
    let (mut peer, client) = Peer::with_client_of(json!({"cancel": true})).await;
    let params = ReadParams::after_seq(process_id("p"), Seq::ZERO);
    let id = tokio::select! {
        _ = client.call::<Read>(&params) => panic!("nobody has answered"),
        (id, _) = peer.expect("process/read") => id,
    };
    assert_eq!(peer.expect("$/cancelRequest").await.1["id"], id);
}

#[tokio::test]
async fn what_was_answered_or_does_not_wait_is_not_cancelled() {
    let (mut peer, client) = Peer::with_client_of(json!({"cancel": true})).await;
    let control = start(&mut peer, &client).await;
    let (page, ()) = tokio::join!(soon(control.read(Seq::ZERO, None, LONG)), peer.serve_read(1..2));
    assert_eq!(page.unwrap().next_seq, Seq(2));
    tokio::select! {
        _ = control.signal(exec_protocol::process::SignalName::Interrupt) => panic!("nobody has answered"),
        _ = peer.expect("process/signal") => {}
    }
    expect_silence(&mut peer, &control).await;
}

#[tokio::test]
async fn a_server_that_cannot_cancel_is_not_asked_to() {
    let (mut peer, client) = Peer::with_client().await;
    let control = start(&mut peer, &client).await;
    drop_read(&mut peer, &control).await;
    expect_silence(&mut peer, &control).await;
}

#[tokio::test]
async fn a_read_that_was_dropped_is_not_repeated_on_the_next_connection() {
    let (listener, url) = listen().await;
    let (mut peer, client) = Peer::with_client_at(&listener, &url, json!({"cancel": true})).await;
    let control = start(&mut peer, &client).await;
    let id = drop_read(&mut peer, &control).await;
    assert_eq!(peer.expect("$/cancelRequest").await.1["id"], id);
    drop(peer);
    let mut peer = Peer::take_back(&listener).await;
    expect_silence(&mut peer, &control).await;
}

#[tokio::test]
async fn nobody_who_drops_reads_waits_for_a_server_that_does_not_listen() {
    const READS: usize = 200;
    let (mut peer, client) = Peer::with_client_of(json!({"cancel": true})).await;
    let control = start(&mut peer, &client).await;
    let mut reads: Vec<_> = (0..READS)
        .map(|_| Box::pin(control.read(Seq::ZERO, None, LONG)))
        .collect();
    for read in &mut reads {
        assert!(futures_util::poll!(read).is_pending());
    }
    // As many as the server has; the others wait to be sent.
    peer.expect("process/read").await;
    drop(reads);
    let script = async {
        loop {
            let message = peer.hear().await.expect("the client hung up");
            if message["method"] == "process/terminate" {
                peer.answer(&message["id"], json!({"running": true})).await;
                return;
            }
        }
    };
    let (running, ()) = tokio::join!(soon(control.terminate()), script);
    assert!(running.unwrap());
}
