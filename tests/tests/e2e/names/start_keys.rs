//! `startKey`: a start that may be repeated.

use exec_tests::{Peer, TestServer, on_every_wire, on_wires};
use serde_json::{Value, json};

use super::{Runs, expired, forgetful};
use crate::commands::with;

fn keyed(params: Value, key: &str) -> Value {
    with(params, json!({"startKey": key}))
}

on_every_wire! {
    async fn a_repeated_start_gives_the_first_result_and_runs_nothing(peer: &mut Peer) {
        let runs = Runs::new();
        let params = keyed(runs.script("p", "exec sleep 1000"), "k");
        let first = peer.call("process/start", params.clone()).await;
        assert!(first["uid"].is_string() && first["pid"].is_u64() && first["startedAtMs"].is_u64(), "{first}");
        for _ in 0..3 {
            assert_eq!(peer.call("process/start", params.clone()).await, first);
        }
        exec_tests::wait::until("it has run", || runs.count() > 0).await;
        peer.terminate("p").await;
        assert_eq!(peer.call("process/start", params).await, first, "also when it has ended");
        assert_eq!(runs.count(), 1);
    }

    async fn pipelined_ones_get_the_same_result(peer: &mut Peer) {
        let runs = Runs::new();
        let params = keyed(runs.script("p", "exit 4"), "k");
        let mut requests = Vec::new();
        for _ in 0..20 {
            requests.push(peer.request("process/start", params.clone()).await);
        }
        let mut results = Vec::new();
        for request in requests {
            results.push(peer.response(request).await.expect("it is started"));
        }
        assert!(results.iter().all(|result| *result == results[0]), "{results:?}");
        assert_eq!(peer.output_until_closed("p").await.exit_code, Some(4));
        assert_eq!(runs.count(), 1);
    }

    async fn another_key_or_none_is_a_duplicate(peer: &mut Peer) {
        let runs = Runs::new();
        peer.run(keyed(runs.script("p", "exit 0"), "k")).await;
        for params in [keyed(runs.script("p", "exit 0"), "other"), runs.script("p", "exit 0")] {
            let error = peer.refused("process/start", params).await;
            assert_eq!((error.code, &error.data.kind[..]), (-32600, "duplicateProcess"));
        }
        peer.run(runs.script("q", "exit 0")).await;
        let error = peer.refused("process/start", keyed(runs.script("q", "exit 0"), "k")).await;
        assert_eq!(error.data.kind, "duplicateProcess", "the first had no key");
        assert_eq!(runs.count(), 2);
        // The same key under another name is another start.
        peer.run(keyed(runs.script("r", "exit 0"), "k")).await;
        assert_eq!(runs.count(), 3);
    }

    async fn one_whose_first_has_failed_runs(peer: &mut Peer) {
        let runs = Runs::new();
        let failing = keyed(json!({"processId": "p", "argv": ["/no/such/program"]}), "k");
        assert_eq!(peer.refused("process/start", failing.clone()).await.data.kind, "programNotFound");
        let transcript = peer.run(keyed(runs.script("p", "exit 5"), "k")).await;
        assert_eq!((transcript.exit_code, runs.count()), (Some(5), 1));
        // Also one that is sent before the failure is known.
        let failing = with(failing, json!({"processId": "q"}));
        let first = peer.request("process/start", failing).await;
        let second = peer.request("process/start", keyed(runs.script("q", "exit 6"), "k")).await;
        assert_eq!(peer.response(first).await.unwrap_err().data.kind, "programNotFound");
        peer.response(second).await.expect("the id is free");
        assert_eq!(peer.output_until_closed("q").await.exit_code, Some(6));
        assert_eq!(runs.count(), 2);
    }

    async fn one_that_was_forgotten_runs_again(peer: &mut Peer) {
        let runs = Runs::new();
        for round in 1..=3 {
            peer.run(keyed(runs.script("p", "exit 0"), "k")).await;
            assert_eq!(runs.count(), round);
            peer.call("process/forget", json!({"processId": "p"})).await;
        }
    }
}

on_wires! {
    [memory, websocket]
    async fn it_is_known_on_the_next_connection(server: &TestServer) {
        let runs = Runs::new();
        let mut peer = server.connect().await;
        let session_id = peer.handshake().await.session_id;
        let params = keyed(runs.script("p", "exec sleep 1000"), "k");
        let first = peer.call("process/start", params.clone()).await;
        peer.hang_up();
        let mut peer = server.connect().await;
        peer.resume(&session_id).await;
        assert_eq!(peer.call("process/start", params).await, first);
        exec_tests::wait::until("it has run", || runs.count() > 0).await;
        peer.terminate("p").await;
        assert_eq!(runs.count(), 1);
        peer.finish().await;
    }

    [memory, websocket]
    async fn an_answer_that_was_lost_costs_no_second_run(server: &TestServer) {
        let runs = Runs::new();
        let mut peer = server.connect().await;
        let session_id = peer.handshake().await.session_id;
        for round in 0..20 {
            let id = format!("p{round}");
            let params = keyed(runs.script(&id, "exit 0"), "k");
            peer.request("process/start", params.clone()).await;
            peer.hang_up();
            peer = server.connect().await;
            peer.resume_silently(&session_id).await;
            // Whether or not the first one came through.
            peer.call("process/start", params).await;
            exec_tests::wait::until("it has run", || runs.count() > round).await;
            assert_eq!(runs.count(), round + 1);
        }
        peer.finish().await;
    }
}

#[tokio::test]
async fn it_is_known_when_the_process_has_expired() {
    let server = forgetful();
    let mut peer = server.session().await;
    let runs = Runs::new();
    let params = keyed(runs.script("p", "exit 0"), "k");
    let first = peer.call("process/start", params.clone()).await;
    peer.output_until_closed("p").await;
    expired(&mut peer, "p").await;
    assert_eq!(peer.call("process/start", params).await, first);
    assert_eq!(runs.count(), 1);
    // With another key the id is free.
    peer.run(keyed(runs.script("p", "exit 0"), "other")).await;
    assert_eq!(runs.count(), 2);
    peer.finish().await;
    server.finish().await;
}
