//! Methods about a process that never was.

use exec_tests::{Peer, on_every_wire};
use serde_json::json;

on_every_wire! {
    async fn some_methods_refuse_an_unknown_process_and_some_just_say_so(peer: &mut Peer) {
        for (method, params) in [
            ("process/read", json!({"processId": "x"})),
            ("process/resize", json!({"processId": "x", "size": {"rows": 1, "cols": 1}})),
            ("process/closeStdin", json!({"processId": "x"})),
            ("process/get", json!({"processId": "x"})),
            ("process/get", json!({"uid": "x"})),
        ] {
            let error = peer.refused(method, params).await;
            assert_eq!((error.code, &error.data.kind[..]), (-32600, "unknownProcess"), "{method}");
        }
        for (method, params, result) in [
            ("process/write", json!({"processId": "x", "chunk": "YQ=="}), json!({"status": "unknownProcess"})),
            ("process/signal", json!({"processId": "x", "signal": "kill"}), json!({"delivered": false})),
            ("process/terminate", json!({"processId": "x"}), json!({"running": false})),
            ("process/forget", json!({"processId": "x"}), json!({"forgotten": false})),
        ] {
            assert_eq!(peer.call(method, params).await, result, "{method}");
        }
    }

    async fn bad_params_are_refused_before_the_process_is_looked_for(peer: &mut Peer) {
        for (method, params, kind) in [
            ("process/write", json!({"processId": "x", "chunk": "%"}), "invalidBase64"),
            ("process/signal", json!({"processId": "x", "signal": "SIGNOPE"}), "invalidParams"),
            ("process/signal", json!({"processId": "x"}), "invalidParams"),
            ("process/terminate", json!({}), "invalidParams"),
            ("process/read", json!({"processId": "x", "afterSeq": -1}), "invalidParams"),
        ] {
            let error = peer.refused(method, params).await;
            assert_eq!((error.code, &error.data.kind[..]), (-32602, kind), "{method}");
        }
    }
}
