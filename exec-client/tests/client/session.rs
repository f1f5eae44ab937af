//! Calls and events over one connection.

use crate::fake::{Peer, closed, exited, output, process_id, soon};
use exec_client::{CallError, Event};
use exec_protocol::process::{StartParams, Terminate, TerminateParams, WriteStatus};
use exec_protocol::{ErrorKind, Seq};
use serde_json::json;

fn start(name: &str) -> StartParams {
    StartParams::new(process_id(name), ["true"])
}

fn terminate(name: &str) -> TerminateParams {
    TerminateParams {
        grace_ms: None,
        process: process_id(name).into(),
    }
}

#[tokio::test]
async fn events_may_come_before_the_answer_to_the_start() {
    let (mut peer, client) = Peer::with_client().await;
    let params = start("p");
    let script = async {
        let (id, _) = peer.expect("process/start").await;
        peer.output("p", 1).await;
        peer.exited("p", 2).await;
        peer.answer(&id, json!({"processId": "p", "sandboxType": "none"}))
            .await;
        peer.closed("p", 3).await;
    };
    let (process, ()) = tokio::join!(client.start(&params), script);
    let mut process = process.unwrap();
    for expected in [Some(output(1)), Some(exited(2)), Some(closed(3)), None, None] {
        assert_eq!(soon(process.next()).await, expected);
    }
}

#[tokio::test]
async fn a_start_whose_answer_comes_behind_more_events_than_are_kept_loses_none() {
    const EVENTS: u64 = 1000;
    let (mut peer, client) = Peer::with_client().await;
    let params = start("p");
    let script = async {
        let (id, _) = peer.expect("process/start").await;
        for seq in 1..=EVENTS {
            peer.output("p", seq).await;
        }
        peer.answer(&id, json!({"processId": "p", "sandboxType": "none"}))
            .await;
    };
    let (process, ()) = tokio::join!(client.start(&params), script);
    let mut process = process.unwrap();
    let take = async {
        for seq in 1..=EVENTS {
            assert_eq!(soon(process.next()).await, Some(output(seq)));
        }
    };
    tokio::join!(take, peer.serve_read(1..EVENTS + 1));
}

#[tokio::test]
async fn what_was_evicted_is_told_as_a_gap() {
    let (mut peer, client) = Peer::with_client().await;
    let params = start("p");
    let (process, _) = tokio::join!(client.start(&params), peer.accept_start());
    let mut process = process.unwrap();
    let script = async {
        peer.output("p", 1).await;
        peer.output("p", 6).await;
        peer.serve_read(4..7).await;
        peer.output("p", 7).await;
    };
    let take = async {
        let gap = Event::Gap {
            from_seq: Seq(2),
            to_seq: Seq(3),
            bytes: None,
        };
        for expected in [output(1), gap, output(4), output(5), output(6), output(7)] {
            assert_eq!(soon(process.next()).await, Some(expected));
        }
    };
    tokio::join!(script, take);
}

#[tokio::test]
async fn a_slow_consumer_pauses_the_connection_and_loses_nothing() {
    const EVENTS: u64 = 1000;
    let (mut peer, client) = Peer::with_client().await;
    let (params_a, params_b) = (start("a"), start("b"));
    let (a, _) = tokio::join!(client.start(&params_a), peer.accept_start());
    let (b, _) = tokio::join!(client.start(&params_b), peer.accept_start());
    let (mut a, mut b) = (a.unwrap(), b.unwrap());
    let script = async {
        for seq in 1..=EVENTS {
            peer.output("a", seq).await;
        }
        peer.output("b", 1).await;
    };
    // What comes for b is behind what a does not take.
    let take = async {
        tokio::select! {
            biased;
            event = b.next() => panic!("{event:?} overtook"),
            event = a.next() => assert_eq!(event, Some(output(1))),
        }
        for seq in 2..=EVENTS {
            assert_eq!(soon(a.next()).await, Some(output(seq)));
        }
        assert_eq!(soon(b.next()).await, Some(output(1)));
    };
    tokio::join!(script, take);
}

#[tokio::test]
async fn a_dropped_process_discards_its_events_and_stalls_nobody() {
    let (mut peer, client) = Peer::with_client().await;
    let (params_a, params_b) = (start("a"), start("b"));
    let (a, _) = tokio::join!(client.start(&params_a), peer.accept_start());
    let (b, _) = tokio::join!(client.start(&params_b), peer.accept_start());
    drop(a.unwrap());
    for seq in 1..=1000 {
        peer.output("a", seq).await;
    }
    peer.output("b", 1).await;
    assert_eq!(soon(b.unwrap().next()).await, Some(output(1)));
}

#[tokio::test]
async fn an_id_is_refused_while_its_events_are_awaited_and_free_after_the_last() {
    let (mut peer, client) = Peer::with_client().await;
    let params = start("p");
    let (process, _) = tokio::join!(client.start(&params), peer.accept_start());
    let mut process = process.unwrap();
    let Err(CallError::Rpc(error)) = client.start(&params).await else {
        panic!()
    };
    assert_eq!(error.kind(), Some(ErrorKind::DuplicateProcess));
    peer.closed("p", 1).await;
    assert_eq!(soon(process.next()).await, Some(closed(1)));
    let (again, _) = tokio::join!(client.start(&params), peer.accept_start());
    let mut again = again.unwrap();
    // The old one does not take the new one's events away when it goes.
    drop(process);
    peer.output("p", 1).await;
    assert_eq!(soon(again.next()).await, Some(output(1)));
}

#[tokio::test]
async fn a_write_that_found_stdin_full_is_repeated_as_the_same_write() {
    let (mut peer, client) = Peer::with_client().await;
    let params = start("p");
    let (process, _) = tokio::join!(client.start(&params), peer.accept_start());
    let control = process.unwrap().control();
    let script = async {
        let (id, first) = peer.expect("process/write").await;
        peer.refuse(&id, -32603, "stdinFull").await;
        let (id, second) = peer.expect("process/write").await;
        assert_eq!(first, second);
        assert!(first["writeId"].is_string());
        peer.answer(&id, json!({"status": "accepted"})).await;
        let (id, other) = peer.expect("process/write").await;
        assert_ne!(other["writeId"], first["writeId"]);
        peer.answer(&id, json!({"status": "stdinClosed"})).await;
    };
    let write = async {
        assert_eq!(soon(control.write("a")).await.unwrap(), WriteStatus::Accepted);
        assert_eq!(soon(control.write("b")).await.unwrap(), WriteStatus::StdinClosed);
    };
    tokio::join!(script, write);
}

#[tokio::test]
async fn a_write_that_was_dropped_is_settled_before_stdin_is_closed() {
    let (mut peer, client) = Peer::with_client().await;
    let params = start("p");
    let (process, _) = tokio::join!(client.start(&params), peer.accept_start());
    let control = process.unwrap().control();
    let first = tokio::select! {
        _ = control.write("a") => panic!("nobody answered"),
        (_, params) = peer.expect("process/write") => params,
    };
    let script = async {
        let (id, again) = peer.expect("process/write").await;
        assert_eq!(again, first);
        peer.answer(&id, json!({"status": "accepted"})).await;
        let (id, _) = peer.expect("process/closeStdin").await;
        peer.answer(&id, json!({"closed": true})).await;
    };
    let (closed, ()) = tokio::join!(soon(control.close_stdin()), script);
    assert!(closed.unwrap());
}

#[tokio::test]
async fn a_large_write_goes_in_pieces() {
    let (mut peer, client) = Peer::with_client().await;
    let params = start("p");
    let (process, _) = tokio::join!(client.start(&params), peer.accept_start());
    let control = process.unwrap().control();
    let script = async {
        for bytes in [1 << 20, 1 << 20, 1_usize] {
            let (id, params) = peer.expect("process/write").await;
            assert_eq!(
                params["chunk"].as_str().map(str::len),
                Some(bytes.div_ceil(3) * 4)
            );
            peer.answer(&id, json!({"status": "accepted"})).await;
        }
    };
    let (status, ()) = tokio::join!(soon(control.write(vec![0; (2 << 20) + 1])), script);
    assert_eq!(status.unwrap(), WriteStatus::Accepted);
}

#[tokio::test]
async fn calls_are_answered_by_their_ids_whatever_else_is_said() {
    let (mut peer, client) = Peer::with_client().await;
    let (params_a, params_b) = (terminate("a"), terminate("b"));
    let script = async {
        let (a, _) = peer.expect("process/terminate").await;
        let (b, _) = peer.expect("process/terminate").await;
        peer.say(&json!({"id": 1, "method": "server/asks"})).await;
        peer.say(&json!({"method": "unknown/notice", "params": [1]}))
            .await;
        peer.say(&json!("no message")).await;
        peer.say(&json!({"id": null, "error": {"code": -32700, "message": "x"}}))
            .await;
        peer.refuse(&b, -32603, "internal").await;
        peer.answer(&a, json!({"running": true})).await;
        // A second answer is nobody's.
        peer.answer(&a, json!({"running": false})).await;
    };
    let (a, b, ()) = tokio::join!(
        client.call::<Terminate>(&params_a),
        client.call::<Terminate>(&params_b),
        script
    );
    assert!(a.unwrap().running);
    assert!(matches!(b, Err(CallError::Rpc(error)) if error.kind() == Some(ErrorKind::Internal)));
}

#[tokio::test]
async fn an_answer_of_the_wrong_shape_is_the_calls_own_error() {
    let (mut peer, client) = Peer::with_client().await;
    let params = terminate("p");
    let (outcome, ()) = tokio::join!(client.call::<Terminate>(&params), async {
        let (id, _) = peer.expect("process/terminate").await;
        peer.answer(&id, json!({"running": "perhaps"})).await;
    });
    assert!(matches!(
        outcome,
        Err(CallError::Malformed {
            method: "process/terminate",
            ..
        })
    ));
    let (outcome, ()) = tokio::join!(client.call::<Terminate>(&params), async {
        let (id, _) = peer.expect("process/terminate").await;
        peer.say(&json!({"id": id, "error": "no object"})).await;
    });
    assert!(matches!(outcome, Err(CallError::Rpc(error)) if error.kind() == Some(ErrorKind::Internal)));
}

#[tokio::test]
async fn a_request_over_the_limit_is_not_sent() {
    let (_peer, client) = Peer::with_client().await;
    let params = StartParams::new(process_id("p"), [" ".repeat(exec_client::MAX_MESSAGE_BYTES)]);
    assert!(matches!(
        client.start(&params).await,
        Err(CallError::TooLarge { .. })
    ));
}

#[tokio::test]
async fn closing_disconnects_calls_and_streams() {
    let (mut peer, client) = Peer::with_client().await;
    let params = start("p");
    let (process, _) = tokio::join!(client.start(&params), peer.accept_start());
    let mut process = process.unwrap();
    let params = terminate("p");
    let script = async {
        peer.expect("process/terminate").await;
        let hang_up = async {
            assert_eq!(peer.hear().await, None);
            drop(peer);
        };
        tokio::join!(soon(client.clone().close()), hang_up);
    };
    let (outcome, ()) = tokio::join!(client.call::<Terminate>(&params), script);
    assert!(matches!(outcome, Err(CallError::Disconnected(_))));
    assert_eq!(soon(process.next()).await, Some(Event::Disconnected));
    assert_eq!(soon(process.next()).await, None);
    assert!(matches!(
        client.call::<Terminate>(&params).await,
        Err(CallError::Disconnected(_))
    ));
}

#[tokio::test]
async fn a_connection_that_ends_disconnects_a_client_that_cannot_come_back() {
    let (mut peer, client) = Peer::with_client().await;
    let params = start("p");
    let (process, _) = tokio::join!(client.start(&params), peer.accept_start());
    let mut process = process.unwrap();
    peer.output("p", 1).await;
    drop(peer);
    assert_eq!(soon(process.next()).await, Some(output(1)));
    assert_eq!(soon(process.next()).await, Some(Event::Disconnected));
    assert!(matches!(
        soon(client.start(&params)).await,
        Err(CallError::Disconnected(_))
    ));
}

#[tokio::test]
async fn the_connection_ends_with_the_last_handle() {
    let (mut peer, client) = Peer::with_client().await;
    let params = start("p");
    let (process, _) = tokio::join!(client.start(&params), peer.accept_start());
    let control = process.unwrap().control();
    drop(client);
    let (running, ()) = tokio::join!(control.terminate(), async {
        let (id, _) = peer.expect("process/terminate").await;
        peer.answer(&id, json!({"running": true})).await;
    });
    assert!(running.unwrap());
    drop(control);
    assert_eq!(peer.hear().await, None);
}

#[tokio::test]
async fn everything_may_be_shared_by_tasks() {
    fn shared<T: Send + Sync>(value: T) -> T {
        value
    }
    fn moved<T: Send>(future: T) -> T {
        future
    }
    let (mut peer, client) = Peer::with_client().await;
    let params = start("p");
    let (process, _) = tokio::join!(moved(client.start(&params)), peer.accept_start());
    let mut process = shared(process.unwrap());
    let control = shared(process.control());
    drop(moved(process.next()));
    drop(moved(control.write("a")));
    drop(moved(shared(client).close()));
}

#[tokio::test]
async fn last_words_are_heard_though_nothing_can_be_sent() {
    const EVENTS: u64 = 1000;
    let (mut peer, client) = Peer::with_client().await;
    let (params, terminate) = (start("p"), terminate("p"));
    let (process, _) = tokio::join!(client.start(&params), peer.accept_start());
    let mut process = process.unwrap();
    let Peer::Memory(to_client, from_client) = peer else {
        panic!()
    };
    // The server hears nothing any more, and has much to say.
    drop(from_client);
    let (_, deaf) = tokio::sync::mpsc::channel(1);
    let mut peer = Peer::Memory(to_client, deaf);
    let script = async {
        for seq in 1..=EVENTS {
            peer.output("p", seq).await;
        }
        drop(peer);
    };
    let take = async {
        for seq in 1..=EVENTS {
            assert_eq!(soon(process.next()).await, Some(output(seq)));
        }
        assert_eq!(soon(process.next()).await, Some(Event::Disconnected));
    };
    let (outcome, (), ()) = tokio::join!(client.call::<Terminate>(&terminate), script, take);
    assert!(matches!(outcome, Err(CallError::Disconnected(_))));
}
