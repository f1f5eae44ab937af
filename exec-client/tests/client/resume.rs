//! Broken websockets.

use exec_client::{CallError, Client, ClientError, ConnectError, Event, Process};
use exec_protocol::Seq;
use exec_protocol::process::{StartParams, WriteStatus};
use futures_util::SinkExt;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::fake::{Peer, closed, exited, listen, output, process_id, soon};

/// A client on its first connection, with a running process `p`.
async fn connect(listener: &TcpListener, url: &str) -> (Peer, Client, Process) {
    let (mut peer, client) = Peer::with_client_at(listener, url, json!({})).await;
    let params = start("p");
    let (process, _) = tokio::join!(client.start(&params), peer.accept_start());
    (peer, client, process.unwrap())
}

fn start(name: &str) -> StartParams {
    StartParams::new(process_id(name), ["true"])
}

async fn refuse_resume(listener: &TcpListener, code: i32, kind: &str) {
    let mut peer = Peer::accept(listener).await;
    let (id, _) = peer.expect("initialize").await;
    peer.refuse(&id, code, kind).await;
    // The client hangs up first, so that it has read the answer.
    assert_eq!(peer.hear().await, None);
}

#[tokio::test]
async fn events_go_on_where_the_connection_broke() {
    let (listener, url) = listen().await;
    let (mut peer, _client, mut process) = connect(&listener, &url).await;
    peer.output("p", 1).await;
    peer.output("p", 2).await;
    let script = async {
        drop(peer);
        let mut peer = Peer::take_back(&listener).await;
        // Happened meanwhile: 3 to 5. Told on the new connection: from 6.
        let (id, read) = peer.expect("process/read").await;
        peer.output("p", 6).await;
        peer.answer_read(&id, &read, 1..6).await;
        peer.exited("p", 7).await;
        peer.closed("p", 8).await;
        assert_eq!((&read["processId"], &read["waitMs"]), (&json!("p"), &json!(0)));
        // It may ask again before it has seen what is told.
        loop {
            peer.serve_read(1..6).await;
        }
    };
    let take = async {
        // As far as it came; the rest is read.
        for seq in 1..=6 {
            assert_eq!(soon(process.next()).await, Some(output(seq)));
        }
        assert_eq!(soon(process.next()).await, Some(exited(7)));
        assert_eq!(soon(process.next()).await, Some(closed(8)));
        assert_eq!(soon(process.next()).await, None);
    };
    tokio::select! {
        () = script => {}
        () = take => {}
    }
}

#[tokio::test]
async fn a_process_that_ended_meanwhile_is_read_to_its_end_though_nothing_is_told() {
    let (listener, url) = listen().await;
    let (peer, _client, mut process) = connect(&listener, &url).await;
    let script = async {
        drop(peer);
        let mut peer = Peer::take_back(&listener).await;
        let (id, _) = peer.expect("process/read").await;
        let state = json!({
            "chunks": [], "nextSeq": 3, "exited": true, "exitCode": 3, "closed": true,
            "failure": null, "sandboxDenied": false,
        });
        peer.answer(&id, state).await;
        peer
    };
    let take = async {
        assert_eq!(soon(process.next()).await, Some(exited(1)));
        assert_eq!(soon(process.next()).await, Some(closed(2)));
    };
    tokio::join!(script, take);
}

#[tokio::test]
async fn what_was_evicted_meanwhile_is_a_gap() {
    let (listener, url) = listen().await;
    let (peer, _client, mut process) = connect(&listener, &url).await;
    let script = async {
        drop(peer);
        let mut peer = Peer::take_back(&listener).await;
        peer.serve_read(10..12).await;
        peer.serve_read(10..12).await;
        peer.output("p", 12).await;
    };
    let take = async {
        let gap = Event::Gap {
            from_seq: Seq(1),
            to_seq: Seq(9),
            bytes: None,
        };
        for expected in [gap, output(10), output(11), output(12)] {
            assert_eq!(soon(process.next()).await, Some(expected));
        }
    };
    tokio::join!(script, take);
}

#[tokio::test]
async fn a_process_the_server_forgot_is_disconnected_alone() {
    let (listener, url) = listen().await;
    let (peer, client, mut process) = connect(&listener, &url).await;
    let script = async {
        drop(peer);
        let mut peer = Peer::take_back(&listener).await;
        let (id, _) = peer.expect("process/read").await;
        peer.refuse(&id, -32600, "unknownProcess").await;
        peer
    };
    let (mut peer, event) = tokio::join!(script, soon(process.next()));
    assert_eq!(event, Some(Event::Disconnected));
    let params = start("q");
    let (started, _) = tokio::join!(client.start(&params), peer.accept_start());
    started.unwrap();
}

#[tokio::test]
async fn a_write_is_repeated_as_the_same_write_and_a_start_is_not() {
    let (listener, url) = listen().await;
    let (mut peer, client, process) = connect(&listener, &url).await;
    let control = process.control();
    drop(process);
    let script = async {
        let (_, first) = peer.expect("process/write").await;
        peer.expect("process/start").await;
        drop(peer);
        let mut peer = Peer::take_back(&listener).await;
        let (id, again) = peer.expect("process/write").await;
        assert!(first["writeId"].is_string());
        assert_eq!(first, again);
        peer.answer(&id, json!({"status": "accepted"})).await;
        peer
    };
    let params = start("q");
    let (status, started, mut peer) =
        tokio::join!(soon(control.write("a")), soon(client.start(&params)), script);
    assert_eq!(status.unwrap(), WriteStatus::Accepted);
    assert!(matches!(started, Err(CallError::Disconnected(_))));
    // It is not a ruin: the id is free, and the next start is an ordinary one.
    let (started, _) = tokio::join!(client.start(&params), peer.accept_start());
    started.unwrap();
}

#[tokio::test]
async fn a_call_made_while_disconnected_waits_for_the_next_connection() {
    let (listener, url) = listen().await;
    let (peer, client, process) = connect(&listener, &url).await;
    drop((peer, process));
    // Only now the client has noticed for sure.
    refuse_resume(&listener, -32603, "shuttingDown").await;
    let params = start("q");
    let (started, _) = tokio::join!(client.start(&params), async {
        Peer::take_back(&listener).await.accept_start().await
    });
    started.unwrap();
}

#[tokio::test]
async fn an_unknown_session_is_final() {
    let (listener, url) = listen().await;
    let (mut peer, _client, mut process) = connect(&listener, &url).await;
    let control = process.control();
    let script = async {
        peer.expect("process/write").await;
        drop(peer);
        refuse_resume(&listener, -32600, "unknownSession").await;
    };
    let (event, written, ()) = tokio::join!(soon(process.next()), soon(control.write("a")), script);
    assert_eq!(event, Some(Event::Disconnected));
    assert!(matches!(written, Err(CallError::Disconnected(_))));
}

#[tokio::test]
async fn a_session_that_is_still_attached_elsewhere_is_asked_for_again() {
    let (listener, url) = listen().await;
    let (peer, _client, mut process) = connect(&listener, &url).await;
    let script = async {
        drop(peer);
        refuse_resume(&listener, -32010, "sessionAttached").await;
        let mut peer = Peer::take_back(&listener).await;
        peer.serve_read(1..2).await;
        peer
    };
    let (_peer, event) = tokio::join!(script, soon(process.next()));
    assert_eq!(event, Some(output(1)));
}

#[tokio::test]
async fn a_session_that_was_taken_over_is_left_to_the_other() {
    let (listener, url) = listen().await;
    let (mut peer, _client, mut process) = connect(&listener, &url).await;
    let Peer::Websocket(socket) = &mut peer else {
        panic!()
    };
    let frame = CloseFrame {
        code: 4001.into(),
        reason: "session taken over".into(),
    };
    soon(socket.send(Message::Close(Some(frame)))).await.unwrap();
    // A client that came back would wait for an answer that nobody gives, longer than this.
    assert_eq!(soon(process.next()).await, Some(Event::Disconnected));
}

#[tokio::test]
async fn closing_says_goodbye_and_does_not_come_back() {
    let (listener, url) = listen().await;
    let (mut peer, client, mut process) = connect(&listener, &url).await;
    let ((), said) = tokio::join!(soon(client.close()), async {
        let said = peer.hear().await;
        drop(peer);
        said
    });
    assert_eq!(said, None::<Value>);
    assert_eq!(soon(process.next()).await, Some(Event::Disconnected));
}

#[tokio::test]
async fn a_client_is_closed_while_it_tries_to_come_back() {
    let (listener, url) = listen().await;
    let (peer, client, process) = connect(&listener, &url).await;
    drop((peer, process, listener));
    soon(client.close()).await;
}

#[tokio::test]
async fn the_first_connection_is_tried_once() {
    let (listener, url) = listen().await;
    drop(listener);
    let outcome = soon(Client::connect_websocket(&url, "test")).await;
    assert!(
        matches!(outcome, Err(ClientError::Connect(ConnectError::Tcp { .. }))),
        "{outcome:?}"
    );
}
