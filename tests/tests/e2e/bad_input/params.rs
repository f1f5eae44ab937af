//! Requests whose params are wrong.

use exec_protocol::ErrorKind::{self, InvalidBase64, InvalidParams, InvalidPath};
use exec_protocol::{MAX_ARGUMENTS, MAX_GLOBS, MAX_IDS, MAX_LABELS, MAX_NAMES};
use exec_server::limits::MAX_GLOB_STEPS;
use exec_tests::{Peer, fixture, on_every_wire};
use serde_json::{Value, json};

use crate::witness;

/// Every method that takes params by name.
const METHODS: [&str; 8] = [
    "environment/info",
    "process/closeStdin",
    "process/read",
    "process/resize",
    "process/signal",
    "process/start",
    "process/terminate",
    "process/write",
];

async fn is_refused(peer: &mut Peer, method: &str, params: Value, kind: ErrorKind, field: Option<&str>) {
    let shown: String = params.to_string().chars().take(100).collect();
    let error = peer.refused(method, params).await;
    assert_eq!(error.kind(), Some(kind), "{method} {shown}: {error:?}");
    assert_eq!(error.data.field.as_deref(), field, "{method} {shown}: {error:?}");
}

on_every_wire! {
    async fn params_are_an_object(peer: &mut Peer) {
        witness::start(peer).await;
        for method in METHODS {
            for params in [json!(7), json!([]), json!(["witness"]), json!("witness"), json!(true)] {
                is_refused(peer, method, params, InvalidParams, None).await;
            }
        }
        witness::answers(peer, "still here").await;
        witness::end(peer).await;
    }

    async fn null_and_absent_params_are_the_same(peer: &mut Peer) {
        for text in [
            r#"{"jsonrpc":"2.0","id":"a","method":"environment/info"}"#,
            r#"{"jsonrpc":"2.0","id":"a","method":"environment/info","params":null}"#,
            r#"{"jsonrpc":"2.0","id":"a","method":"environment/info","params":{}}"#,
            r#"{"jsonrpc":"2.0","id":"a","method":"environment/info","params":{"unknown":1}}"#,
        ] {
            peer.send_text(text).await;
            let info = peer.response("a").await.expect(text);
            assert!(info["cwd"].is_string(), "{info}");
        }
        for text in [
            r#"{"jsonrpc":"2.0","id":"a","method":"process/read"}"#,
            r#"{"jsonrpc":"2.0","id":"a","method":"process/read","params":null}"#,
        ] {
            peer.send_text(text).await;
            let error = peer.response("a").await.expect_err(text);
            assert_eq!((error.kind(), error.data.field.as_deref()), (Some(InvalidParams), Some("processId")));
        }
    }

    async fn a_null_member_equals_an_absent_one(peer: &mut Peer) {
        let transcript = peer.run(json!({
            "processId": "p", "argv": ["/bin/echo", "hi"], "cwd": null, "env": null, "envPolicy": null, "tty": null,
            "pipeStdin": null, "arg0": null, "size": null, "sandbox": null, "managedNetwork": null,
            "enforceManagedNetwork": null, "metadata": null, "unknown": {"a": [1]},
        })).await;
        assert_eq!(transcript.text(), "hi\n");
    }

    async fn a_chunk_that_is_not_base64_is_refused_and_not_typed(peer: &mut Peer) {
        witness::start(peer).await;
        for chunk in ["a", "aGk", "aGk==", "a===", "====", "%%%%", "aGk=\n", " aGk=", "aG k=", "-_-_", "aGk=aGk=", "é"] {
            let params = json!({"processId": witness::NAME, "chunk": chunk, "writeId": "w"});
            is_refused(peer, "process/write", params, InvalidBase64, Some("chunk")).await;
        }
        for chunk in [json!(7), json!(["aGk="]), json!({})] {
            let params = json!({"processId": witness::NAME, "chunk": chunk});
            is_refused(peer, "process/write", params, InvalidParams, Some("chunk")).await;
        }
        witness::answers(peer, "still here").await;
        let text = peer.transcript(witness::NAME).text();
        assert_eq!(text, "<still here>\n");
        witness::end(peer).await;
    }

    async fn a_nul_where_the_system_takes_none_is_refused_and_leaves_no_process(peer: &mut Peer) {
        witness::start(peer).await;
        for (member, value, kind, field) in [
            ("argv", json!(["/bin/echo", "a\0b"]), InvalidParams, "argv"),
            ("argv", json!(["/bin/ec\0ho"]), InvalidParams, "argv"),
            ("cwd", json!("/tmp/\0"), InvalidPath, "cwd"),
            ("cwd", json!("file:///tmp/%00"), InvalidPath, "cwd"),
            ("env", json!({"A": "a\0b"}), InvalidParams, "env"),
            ("env", json!({"A\0": "b"}), InvalidParams, "env"),
            ("arg0", json!("a\0b"), InvalidParams, "arg0"),
        ] {
            let mut params = json!({"processId": "nul", "argv": ["/bin/echo"]});
            params[member] = value;
            let error = peer.refused("process/start", params.clone()).await;
            assert_eq!(error.kind(), Some(kind), "{params}: {error:?}");
            let said = error.data.field.as_deref().unwrap_or_default();
            assert!(said.starts_with(field), "{params}: {error:?}");
        }
        let transcript = peer.run(json!({"processId": "nul", "argv": ["/bin/echo", "free"]})).await;
        assert_eq!(transcript.text(), "free\n");
        witness::answers(peer, "still here").await;
        witness::end(peer).await;
    }

    async fn a_process_id_of_a_megabyte_is_refused_by_every_method(peer: &mut Peer) {
        witness::start(peer).await;
        for length in [1 << 20, 257] {
            let id = "i".repeat(length);
            for (method, params) in [
                ("process/start", json!({"processId": id, "argv": ["/bin/echo"]})),
                ("process/read", json!({"processId": id})),
                ("process/write", json!({"processId": id, "chunk": ""})),
                ("process/closeStdin", json!({"processId": id})),
                ("process/resize", json!({"processId": id, "size": {"rows": 1, "cols": 1}})),
                ("process/signal", json!({"processId": id, "signal": "kill"})),
                ("process/terminate", json!({"processId": id})),
            ] {
                is_refused(peer, method, params, InvalidParams, Some("processId")).await;
            }
        }
        // 256 bytes are an id, in whatever characters.
        let longest = "ü".repeat(128);
        let transcript = peer.run(json!({"processId": longest, "argv": ["/bin/echo", "hi"]})).await;
        assert_eq!(transcript.text(), "hi\n");
        witness::answers(peer, "still here").await;
        witness::end(peer).await;
    }

    async fn members_of_the_wrong_type_or_value_are_named(peer: &mut Peer) {
        witness::start(peer).await;
        let start = |member: &str, value: Value| {
            let mut params = json!({"processId": "p", "argv": ["/bin/echo"]});
            params[member] = value;
            params
        };
        for (method, params, field) in [
            ("process/start", json!({"argv": ["/bin/echo"]}), "processId"),
            ("process/start", json!({"processId": "p"}), "argv"),
            ("process/start", start("processId", json!(1)), "processId"),
            ("process/start", start("argv", json!("echo")), "argv"),
            ("process/start", start("argv", json!(["echo", 1])), "argv[1]"),
            ("process/start", start("env", json!(["A=B"])), "env"),
            ("process/start", start("env", json!({"A": 1})), "env.A"),
            ("process/start", start("tty", json!("yes")), "tty"),
            ("process/start", start("pipeStdin", json!(1)), "pipeStdin"),
            ("process/read", json!({"processId": witness::NAME, "afterSeq": -1}), "afterSeq"),
            ("process/read", json!({"processId": witness::NAME, "afterSeq": "0"}), "afterSeq"),
            ("process/read", json!({"processId": witness::NAME, "afterSeq": 0.5}), "afterSeq"),
            ("process/read", json!({"processId": witness::NAME, "maxBytes": -1}), "maxBytes"),
            ("process/read", json!({"processId": witness::NAME, "waitMs": "1"}), "waitMs"),
            ("process/signal", json!({"processId": witness::NAME, "signal": "SIGWHATEVER"}), "signal"),
            ("process/signal", json!({"processId": witness::NAME}), "signal"),
            ("process/terminate", json!({}), "processId"),
        ] {
            is_refused(peer, method, params, InvalidParams, Some(field)).await;
        }
        witness::answers(peer, "still here").await;
        witness::end(peer).await;
    }

    async fn a_list_or_an_object_that_is_too_long_is_named(peer: &mut Peer) {
        witness::start(peer).await;
        let names = |count: usize| -> Value { (0..count).map(|number| (format!("v{number}"), json!(""))).collect() };
        let start = |member: &str, value: Value| {
            let mut params = json!({"processId": "p", "argv": fixture::argv(["exit", "0"])});
            params[member] = value;
            params
        };
        let globs = vec!["*"; MAX_GLOBS + 1];
        let offsets: Value = (0..=MAX_NAMES).map(|number| (format!("p{number}"), json!(number))).collect();
        let until = json!({"kind": "exited"});
        for (method, params, field, most) in [
            ("process/start", start("argv", json!(vec![""; MAX_ARGUMENTS + 1])), "argv", MAX_ARGUMENTS),
            ("process/start", start("env", names(MAX_NAMES + 1)), "env", MAX_NAMES),
            ("process/start", start("labels", names(MAX_LABELS + 1)), "labels", MAX_LABELS),
            ("process/start", start("envPolicy", json!({"set": names(MAX_NAMES + 1)})), "envPolicy.set", MAX_NAMES),
            ("process/start", start("envPolicy", json!({"exclude": globs})), "envPolicy.exclude", MAX_GLOBS),
            ("process/start", start("envPolicy", json!({"includeOnly": globs})), "envPolicy.includeOnly", MAX_GLOBS),
            ("process/list", json!({"labels": names(MAX_LABELS + 1)}), "labels", MAX_LABELS),
            ("process/wait", json!({"processIds": vec![witness::NAME; MAX_IDS + 1], "until": until}), "processIds", MAX_IDS),
            ("process/wait", json!({"processIds": [witness::NAME], "until": until, "fromOffsets": offsets}), "fromOffsets", MAX_NAMES),
        ] {
            let error = peer.refused(method, params).await;
            assert_eq!((error.kind(), error.data.field.as_deref()), (Some(InvalidParams), Some(field)), "{method}: {error:?}");
            assert!(error.message.contains(&format!("more than {most} ")), "{method}: {error:?}");
        }
        // What is as long as it may be is carried out, and what nobody knows may have any length.
        let mut params = start("env", names(MAX_NAMES));
        params["envPolicy"] = json!({"inherit": "none", "exclude": vec!["*"; MAX_GLOBS]});
        params["unknown"] = json!(vec![""; MAX_ARGUMENTS + 1]);
        assert_eq!(peer.run(params).await.exit_code, Some(0));
        let wait = json!({"processIds": vec![witness::NAME; MAX_IDS], "until": until});
        assert_eq!(peer.call("process/wait", wait).await["timedOut"], true);
        witness::answers(peer, "still here").await;
        witness::end(peer).await;
    }

    async fn globs_that_could_take_too_long_are_refused(peer: &mut Peer) {
        const LONG: usize = MAX_GLOB_STEPS.isqrt();
        let (glob, name) = (format!("*{}", "n".repeat(LONG)), "n".repeat(LONG));
        for (policy, field) in [
            (json!({"inherit": "none", "set": {&name: ""}, "includeOnly": [glob]}), "envPolicy.includeOnly"),
            // The server has some variables.
            (json!({"exclude": vec![glob.clone(); 2_000]}), "envPolicy.exclude"),
        ] {
            let params = json!({"processId": "p", "argv": ["/bin/echo", "hi"], "envPolicy": policy});
            is_refused(peer, "process/start", params, InvalidParams, Some(field)).await;
        }
        let policy = json!({"inherit": "none", "set": {&name: ""}, "includeOnly": [glob[..LONG - 2]]});
        let transcript = peer.run(json!({"processId": "p", "argv": ["/bin/echo", "hi"], "envPolicy": policy})).await;
        assert_eq!(transcript.text(), "hi\n");
    }

    async fn an_unknown_method_is_method_not_found(peer: &mut Peer) {
        witness::start(peer).await;
        for method in ["no/such", "", "process/Start", "process/start ", "rpc.discover", "initialized", "process/output"] {
            let error = peer.refused(method, json!({})).await;
            assert_eq!(error.kind(), Some(ErrorKind::MethodNotFound), "{method}: {error:?}");
        }
        witness::answers(peer, "still here").await;
        witness::end(peer).await;
    }
}
