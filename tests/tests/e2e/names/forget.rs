//! `process/forget`

use exec_tests::{Peer, on_every_wire};
use serde_json::json;

use crate::commands::{on_pipes, with_stdin};
use crate::records::record;

on_every_wire! {
    async fn only_what_is_closed_can_be_forgotten(peer: &mut Peer) {
        peer.start(with_stdin("runs", ["echo"])).await;
        peer.start(on_pipes("held", ["hold-pipe", "100000", "never"])).await;
        peer.exited("held").await;
        for id in ["runs", "held", "none"] {
            assert_eq!(peer.call("process/forget", json!({"processId": id})).await, json!({"forgotten": false}), "{id}");
        }
        for id in ["runs", "held"] {
            peer.call("process/get", json!({"processId": id})).await;
            peer.call("process/terminate", json!({"processId": id})).await;
            peer.output_until_closed(id).await;
            assert_eq!(peer.call("process/forget", json!({"processId": id})).await, json!({"forgotten": true}), "{id}");
        }
    }

    async fn what_is_forgotten_is_unknown_and_its_id_is_free_at_once(peer: &mut Peer) {
        for round in 0..5 {
            peer.start(on_pipes("p", ["exit", &round.to_string()])).await;
            let uid = record(peer, "p").await.uid;
            peer.output_until_closed("p").await;
            // Pipelined: the id is free when the next request is looked at.
            let forget = peer.request("process/forget", json!({"processId": "p"})).await;
            let get = peer.request("process/get", json!({"processId": "p"})).await;
            let again = peer.request("process/forget", json!({"processId": "p"})).await;
            assert_eq!(peer.response(forget).await.unwrap(), json!({"forgotten": true}));
            assert_eq!(peer.response(get).await.unwrap_err().data.kind, "unknownProcess");
            assert_eq!(peer.response(again).await.unwrap(), json!({"forgotten": false}));
            assert_eq!(peer.refused("process/read", json!({"uid": uid})).await.data.kind, "unknownProcess");
            assert_eq!(peer.call("process/list", json!({})).await, json!({"records": []}));
        }
    }

    async fn a_start_behind_a_forget_runs(peer: &mut Peer) {
        peer.run(on_pipes("p", ["exit", "1"])).await;
        let forget = peer.request("process/forget", json!({"processId": "p"})).await;
        let start = peer.request("process/start", on_pipes("p", ["exit", "2"])).await;
        assert_eq!(peer.response(forget).await.unwrap(), json!({"forgotten": true}));
        peer.response(start).await.expect("the id is free");
        assert_eq!(peer.output_until_closed("p").await.exit_code, Some(2));
    }
}
