//! What a wait refuses.

use exec_tests::{Peer, on_every_wire};
use serde_json::{Value, json};

use super::{echo, end, fired, look, pattern, unmet, wait};

/// Checks that it is refused, and why.
async fn refused(peer: &mut Peer, params: Value, kind: &str, field: Option<&str>) {
    let error = peer.refused("process/wait", params.clone()).await;
    let found = (error.data.kind.as_str(), error.data.field.as_deref());
    assert_eq!(found, (kind, field), "{error:?}: {params}");
}

on_every_wire! {
    async fn bad_params_are_refused_by_the_name_of_the_member(peer: &mut Peer) {
        echo(peer, "p").await;
        let exited = json!({"kind": "exited"});
        for (params, field) in [
            (json!({"processIds": ["p"]}), "until"),
            (json!({"processIds": ["p"], "until": {}}), "until"),
            (look("p", json!({"kind": "never"})), "until.kind"),
            (look("p", json!({"kind": "pattern"})), "until.regex"),
            (look("p", pattern("(")), "until.regex"),
            (look("p", pattern(&"a".repeat(5000))), "until.regex"),
            (look("p", pattern(".{100000}")), "until.regex"),
            (look("p", json!({"kind": "silent"})), "until.silentMs"),
            (look("p", json!({"kind": "silent", "silentMs": -1})), "until.silentMs"),
            (look("p", json!({"kind": "silent", "silentMs": 1, "stream": "pty"})), "until.stream"),
            (look("p", json!({"kind": "output", "stream": "stdin"})), "until.stream"),
            (json!({"until": exited}), "processIds"),
            (json!({"until": exited, "processIds": []}), "processIds"),
            (json!({"until": exited, "processIds": [7]}), "processIds[0]"),
            (json!({"until": exited, "processIds": ["p"], "group": "g"}), "group"),
            (json!({"until": exited, "processIds": ["p"], "mode": "some"}), "mode"),
            (json!({"until": exited, "processIds": ["p"], "fromOffsets": {"p": "x"}}), "fromOffsets.p"),
        ] {
            refused(peer, params, "invalidParams", Some(field)).await;
        }
        let twice = r#"{"id":"twice","method":"process/wait","params":{"processIds":["p"],"until":{"kind":"exited"},"fromOffsets":{"p":0,"p":0}}}"#;
        peer.send_text(twice).await;
        assert_eq!(peer.response("twice").await.unwrap_err().data.kind, "invalidParams");
        end(peer, "p").await;
    }

    async fn an_unknown_process_is_named_and_an_offset_beyond_the_end_as_well(peer: &mut Peer) {
        echo(peer, "p").await;
        let ids = json!({"processIds": ["p", "p", "q"], "until": {"kind": "exited"}});
        refused(peer, ids, "unknownProcess", Some("processIds[2]")).await;
        for until in [json!({"kind": "output"}), pattern("x")] {
            let ahead = json!({"processIds": ["p"], "until": until, "fromOffsets": {"p": 1}});
            refused(peer, ahead, "cursorAhead", Some("fromOffsets.p")).await;
        }
        end(peer, "p").await;
    }

    async fn a_process_that_is_named_twice_is_told_once(peer: &mut Peer) {
        echo(peer, "p").await;
        end(peer, "p").await;
        for mode in ["any", "all"] {
            let params = json!({"processIds": ["p", "p"], "until": {"kind": "closed"}, "mode": mode, "waitMs": 60_000});
            assert_eq!(wait(peer, params).await, fired("p", "closed", 2, 0));
        }
        // An offset does not concern silence.
        let silent = json!({"processIds": ["p"], "until": {"kind": "silent", "silentMs": 0}, "fromOffsets": {"p": 99}});
        assert_eq!(wait(peer, silent).await, unmet("p", "closed"));
    }

    async fn more_processes_than_can_run_are_too_many(peer: &mut Peer) {
        let ids: Vec<_> = (0..5000).map(|number| number.to_string()).collect();
        refused(peer, json!({"processIds": ids, "until": {"kind": "exited"}}), "unknownProcess", Some("processIds[0]")).await;
    }
}
