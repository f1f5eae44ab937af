//! Many requests at once.

use exec_protocol::ErrorKind;
use exec_tests::{Peer, fixture, on_every_wire};
use serde_json::{Value, json};

use crate::witness;

/// Longer than any test takes.
const FOREVER_MS: u64 = 60_000;

on_every_wire! {
    async fn three_hundred_requests_at_once_are_each_answered_once(peer: &mut Peer) {
        witness::start(peer).await;
        let mut requests = Vec::new();
        for number in 0..60 {
            requests.push((peer.request("environment/info", Value::Null).await, Ok("cwd")));
            requests.push((peer.request("no/such", json!({})).await, Err(ErrorKind::MethodNotFound)));
            let read = json!({"processId": witness::NAME, "waitMs": FOREVER_MS});
            requests.push((peer.request("process/read", read).await, Ok("nextSeq")));
            let start = json!({"processId": number.to_string(), "argv": ["/no/such/program"]});
            requests.push((peer.request("process/start", start).await, Err(ErrorKind::ProgramNotFound)));
            let terminate = json!({"processId": "no such process"});
            requests.push((peer.request("process/terminate", terminate).await, Ok("running")));
        }
        assert_eq!(requests.len(), 300);
        // The reads have waited for this.
        witness::answers(peer, "now").await;
        // In the opposite order, so that none is taken for another.
        for (id, expected) in requests.into_iter().rev() {
            match (peer.response(id).await, expected) {
                (Ok(result), Ok(member)) => assert!(result.get(member).is_some(), "{id}: {result}"),
                (Err(error), Err(kind)) => assert_eq!(error.kind(), Some(kind), "{id}"),
                (outcome, expected) => panic!("{id}: {outcome:?}, not {expected:?}"),
            }
        }
        // A second answer to any of them would be left unclaimed.
        witness::end(peer).await;
    }

    async fn a_long_poll_is_overtaken_by_everything_behind_it(peer: &mut Peer) {
        witness::start(peer).await;
        let waiting = peer.request("process/read", json!({"processId": witness::NAME, "waitMs": FOREVER_MS})).await;
        peer.call("environment/info", Value::Null).await;
        let state = peer.call("process/read", json!({"processId": witness::NAME, "maxBytes": 0})).await;
        assert_eq!(state["exited"], false);
        let transcript = peer.run(json!({"processId": "p", "argv": ["/bin/echo", "hi"]})).await;
        assert_eq!(transcript.text(), "hi\n");
        witness::answers(peer, "done").await;
        let read = peer.response(waiting).await.expect("there is something to read");
        assert_eq!(read["nextSeq"], 2, "{read}");
        witness::end(peer).await;
    }

    async fn a_request_for_a_process_that_is_being_started_waits_for_it(peer: &mut Peer) {
        for number in 0..20 {
            let id = number.to_string();
            let start = peer.request("process/start", json!({"processId": id, "argv": fixture::argv(["echo"]), "pipeStdin": true})).await;
            let write = peer.request_write(&id, "hi\n").await;
            let read = peer.request("process/read", json!({"processId": id, "waitMs": FOREVER_MS})).await;
            let close = peer.request("process/closeStdin", json!({"processId": id})).await;
            peer.response(start).await.expect("it is started");
            assert_eq!(peer.response(write).await.unwrap()["status"], "accepted");
            assert_eq!(peer.response(close).await, Ok(json!({"closed": true})));
            peer.response(read).await.expect("there is something to read");
            assert_eq!(peer.output_until_closed(&id).await.text(), "hi\n");
        }
    }

    async fn the_id_of_a_start_that_failed_is_free(peer: &mut Peer) {
        let fails = peer.request("process/start", json!({"processId": "p", "argv": ["/no/such"]})).await;
        peer.response(fails).await.expect_err("there is no such program");
        let works = peer.request("process/start", json!({"processId": "p", "argv": ["/bin/echo", "hi"]})).await;
        peer.response(works).await.expect("the id is free");
        assert_eq!(peer.output_until_closed("p").await.text(), "hi\n");
    }
}
