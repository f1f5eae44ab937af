//! `uid` in place of `processId`.

use exec_tests::{Peer, base64, on_every_wire};
use serde_json::{Value, json};

use crate::commands::{on_pipes, on_terminal, with_stdin};
use crate::records::record;

async fn start(peer: &mut Peer, params: Value) -> Value {
    peer.call("process/start", params).await["uid"].clone()
}

on_every_wire! {
    async fn every_method_takes_the_uid(peer: &mut Peer) {
        let uid = start(peer, with_stdin("p", ["echo"])).await;
        assert_eq!(peer.call("process/get", json!({"uid": uid})).await["processId"], "p");
        let write = json!({"uid": uid, "chunk": base64("text")});
        assert_eq!(peer.call("process/write", write).await["status"], "accepted");
        peer.output_until("p", "text").await;
        let read = peer.call("process/read", json!({"uid": uid})).await;
        assert_eq!(read["chunks"][0]["chunk"], base64("text"));
        // No error tells whether a notification was taken; one that is of nobody is ignored.
        peer.notify("process/ack", json!({"uid": uid, "seq": 1})).await;
        let signal = json!({"uid": uid, "signal": "continue"});
        assert_eq!(peer.call("process/signal", signal).await, json!({"delivered": true}));
        assert_eq!(peer.call("process/closeStdin", json!({"uid": uid})).await, json!({"closed": true}));
        assert_eq!(peer.output_until_closed("p").await.exit_code, Some(0));
        assert_eq!(peer.call("process/forget", json!({"uid": uid})).await, json!({"forgotten": true}));

        let uid = start(peer, on_terminal("t", ["size", "watch"])).await;
        peer.call("process/resize", json!({"uid": uid, "size": {"rows": 30, "cols": 90}})).await;
        peer.output_until("t", "30 90").await;
        assert_eq!(peer.call("process/terminate", json!({"uid": uid})).await["running"], true);
        peer.output_until_closed("t").await;
    }

    async fn each_process_has_one_of_its_own(peer: &mut Peer) {
        let mut uids = Vec::new();
        for n in 0..20 {
            uids.push(start(peer, on_pipes(&format!("p{n}"), ["exit", "0"])).await.to_string());
            peer.output_until_closed(&format!("p{n}")).await;
        }
        uids.sort();
        uids.dedup();
        assert_eq!(uids.len(), 20);
    }

    async fn a_uid_reaches_its_process_also_when_another_is_named_like_it(peer: &mut Peer) {
        let uid = start(peer, with_stdin("p", ["echo"])).await;
        let name = uid.as_str().unwrap();
        let by_name = json!({"processId": name});
        // A uid is nobody's processId before a client makes it one.
        assert_eq!(peer.refused("process/get", by_name.clone()).await.data.kind, "unknownProcess");
        assert_eq!(peer.call("process/terminate", by_name.clone()).await, json!({"running": false}));
        let other = start(peer, with_stdin(name, ["echo"])).await;
        assert_eq!(peer.call("process/get", json!({"uid": uid})).await["processId"], "p");
        assert_eq!(peer.call("process/get", by_name.clone()).await["uid"], other);
        let write = json!({"uid": uid, "chunk": base64("for p")});
        assert_eq!(peer.call("process/write", write).await["status"], "accepted");
        peer.output_until("p", "for p").await;

        assert_eq!(peer.call("process/terminate", json!({"uid": uid})).await["running"], true);
        peer.output_until_closed("p").await;
        assert_eq!(peer.call("process/forget", json!({"uid": uid})).await, json!({"forgotten": true}));
        assert_eq!(peer.refused("process/get", json!({"uid": uid})).await.data.kind, "unknownProcess");
        assert_eq!(peer.call("process/get", by_name).await["uid"], other);
        peer.terminate(name).await;
    }

    async fn a_name_that_is_null_is_not_given(peer: &mut Peer) {
        let uid = start(peer, with_stdin("p", ["echo"])).await;
        for params in [json!({"processId": "p", "uid": null}), json!({"processId": null, "uid": uid})] {
            assert_eq!(peer.call("process/get", params.clone()).await["uid"], uid, "{params}");
            let read = peer.call("process/read", params.clone()).await;
            assert_eq!(read["nextSeq"], 1, "{params}");
        }
        for params in [json!({}), json!({"processId": null}), json!({"processId": null, "uid": null})] {
            for method in ["process/get", "process/read", "process/write", "process/terminate"] {
                let error = peer.refused(method, params.clone()).await;
                let found = (error.code, &error.data.kind[..], error.data.field.as_deref());
                assert_eq!(found, (-32602, "invalidParams", Some("processId")), "{method}: {params}");
            }
        }
        peer.terminate("p").await;
    }

    async fn both_names_at_once_are_one_too_many(peer: &mut Peer) {
        let uid = start(peer, with_stdin("p", ["echo"])).await;
        for method in ["process/get", "process/write", "process/terminate"] {
            let error = peer.refused(method, json!({"uid": uid, "processId": "p"})).await;
            let found = (error.code, &error.data.kind[..], error.data.field.as_deref());
            assert_eq!(found, (-32602, "invalidParams", Some("uid")), "{method}");
        }
        assert_eq!(record(peer, "p").await.exit_code, None);
        peer.terminate("p").await;
    }
}
