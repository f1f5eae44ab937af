//! Many records at once.

use exec_protocol::process::{List, ListParams, ProcessRecord, ProcessState};
use exec_tests::{Peer, TestServer, Wire, on_every_wire};
use serde_json::{Value, json};

use crate::commands::{on_pipes, with, with_stdin};

/// Many processes, few of which are there at a time.
const MANY: usize = 1000;

/// Starts without an answer at a time.
const PIPELINED: usize = 50;

async fn list(peer: &mut Peer, params: Value) -> Vec<ProcessRecord> {
    let params: ListParams = serde_json::from_value(params).expect("params of a list");
    peer.call_typed::<List>(&params).await.records
}

fn ids(records: &[ProcessRecord]) -> Vec<&str> {
    records.iter().map(|record| record.process_id.as_str()).collect()
}

on_every_wire! {
    async fn a_list_is_narrowed_by_group_state_and_labels(peer: &mut Peer) {
        let more = |group: &str, kind: &str, n: &str| json!({"group": group, "labels": {"kind": kind, "n": n}});
        peer.start(with(with_stdin("a", ["echo"]), more("one", "x", "1"))).await;
        peer.run(with(on_pipes("b", ["exit", "0"]), more("one", "y", "2"))).await;
        peer.start(with(on_pipes("c", ["hold-pipe", "100000", "never"]), more("other", "x", "3"))).await;
        peer.exited("c").await;
        peer.start(with_stdin("d", ["echo"])).await;
        for (params, expected) in [
            (json!({}), vec!["a", "b", "c", "d"]),
            (json!({"group": "one"}), vec!["a", "b"]),
            (json!({"group": "none"}), vec![]),
            (json!({"state": "running"}), vec!["a", "d"]),
            (json!({"state": "exited"}), vec!["c"]),
            (json!({"state": "closed"}), vec!["b"]),
            (json!({"labels": {"kind": "x"}}), vec!["a", "c"]),
            (json!({"labels": {"kind": "x", "n": "3"}}), vec!["c"]),
            (json!({"labels": {"kind": "x", "n": "2"}}), vec![]),
            (json!({"labels": {"kind": "x"}, "group": "one", "state": "running"}), vec!["a"]),
        ] {
            assert_eq!(ids(&list(peer, params.clone()).await), expected, "{params}");
        }
        for bad in [json!({"state": "gone"}), json!({"scope": "world"}), json!({"labels": {"n": 1}})] {
            assert_eq!(peer.refused("process/list", bad).await.data.kind, "invalidParams");
        }
        peer.call("process/terminate", json!({"processId": "c"})).await;
        peer.output_until_closed("c").await;
        for id in ["a", "d"] {
            peer.terminate(id).await;
        }
    }

    async fn a_listed_record_is_the_one_that_get_gives(peer: &mut Peer) {
        peer.run(with(on_pipes("p", ["emit", "100"]), json!({"title": "t"}))).await;
        let got = peer.call("process/get", json!({"processId": "p"})).await;
        let listed = peer.call("process/list", json!({})).await;
        assert_eq!(listed["records"], json!([got]));
    }

    async fn other_sessions_have_lists_of_their_own(server: &TestServer) {
        let mut peer = server.session().await;
        assert_eq!(list(&mut peer, json!({})).await, []);
        peer.start(with_stdin("p", ["echo"])).await;
        if server.wire != Wire::Stdio {
            let mut other = server.session().await;
            for scope in ["session", "server"] {
                assert_eq!(list(&mut other, json!({"scope": scope})).await, [], "{scope}");
            }
            assert_eq!(other.refused("process/get", json!({"processId": "p"})).await.data.kind, "unknownProcess");
            let uid = list(&mut peer, json!({})).await[0].uid.clone();
            assert_eq!(other.refused("process/get", json!({"uid": uid})).await.data.kind, "unknownProcess");
            other.finish().await;
        }
        assert_eq!(ids(&list(&mut peer, json!({"scope": "server"})).await), ["p"]);
        peer.terminate("p").await;
        peer.finish().await;
    }

    async fn a_thousand_are_listed_in_the_order_of_their_starts(peer: &mut Peer) {
        let names: Vec<String> = (0..MANY).map(|n| format!("p{n}")).collect();
        for group in names.chunks(PIPELINED) {
            let mut requests = Vec::new();
            for id in group {
                requests.push(peer.request("process/start", json!({"processId": id, "argv": ["/bin/true"]})).await);
            }
            for (request, id) in requests.into_iter().zip(group) {
                peer.response(request).await.expect("it is started");
                peer.output_until_closed(id).await;
            }
        }
        let records = list(peer, json!({"state": "closed"})).await;
        let misplaced = ids(&records).into_iter().zip(&names).find(|(listed, started)| listed != started);
        assert_eq!((records.len(), misplaced), (MANY, None));
        assert!(records.iter().all(|record| record.exit_code == Some(0) && record.state == ProcessState::Closed));
    }
}
