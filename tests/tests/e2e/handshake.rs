//! `initialize` → its result → `initialized` → anything else.

use exec_protocol::ErrorKind;
use exec_tests::{Peer, TestServer, on_every_wire};
use serde_json::{Value, json};

/// Requests that need a session.
fn requests() -> [(&'static str, Value); 5] {
    [
        ("environment/info", Value::Null),
        ("process/start", json!({"processId": "p", "argv": ["/bin/echo"]})),
        ("process/read", json!({"processId": "p"})),
        ("process/terminate", json!({"processId": "p"})),
        ("no/such", Value::Null),
    ]
}

async fn are_refused(peer: &mut Peer) {
    for (method, params) in requests() {
        let error = peer.refused(method, params).await;
        assert_eq!(error.code, -32600, "{method}");
        assert_eq!(error.kind(), Some(ErrorKind::NotInitialized), "{method}");
    }
}

on_every_wire! {
    async fn before_initialize_nothing_else_is_accepted(server: &TestServer) {
        let mut peer = server.connect().await;
        are_refused(&mut peer).await;
        // Neither of these is an `initialize`.
        peer.notify("initialized", json!({})).await;
        peer.notify("initialize", json!({})).await;
        are_refused(&mut peer).await;
        peer.handshake().await;
        peer.call("environment/info", Value::Null).await;
        peer.finish().await;
    }

    async fn before_initialized_nothing_else_is_accepted(server: &TestServer) {
        let mut peer = server.connect().await;
        peer.call("initialize", json!({"clientName": "t"})).await;
        are_refused(&mut peer).await;
        peer.notify("something/else", json!({})).await;
        are_refused(&mut peer).await;
        peer.notify("initialized", json!({})).await;
        let error = peer.refused("process/read", json!({"processId": "p"})).await;
        assert_eq!(error.kind(), Some(ErrorKind::UnknownProcess), "a refused start starts nothing");
        peer.finish().await;
    }

    async fn a_second_initialize_is_refused_and_the_session_stays(server: &TestServer) {
        let mut peer = server.connect().await;
        peer.call("initialize", json!({})).await;
        let error = peer.refused("initialize", json!({})).await;
        assert_eq!((error.code, error.kind()), (-32600, Some(ErrorKind::InvalidRequest)));
        peer.notify("initialized", json!({})).await;
        let error = peer.refused("initialize", json!({"clientName": "again"})).await;
        assert_eq!((error.code, error.kind()), (-32600, Some(ErrorKind::InvalidRequest)));
        assert_eq!(peer.run(json!({"processId": "p", "argv": ["/bin/echo", "hi"]})).await.text(), "hi\n");
        peer.finish().await;
    }

    async fn everything_may_be_sent_without_waiting_for_the_result(server: &TestServer) {
        let mut peer = server.connect().await;
        let initialize = peer.request("initialize", json!({})).await;
        peer.notify("initialized", json!({})).await;
        let start = peer.request("process/start", json!({"processId": "p", "argv": ["/bin/echo", "hi"]})).await;
        assert_eq!(peer.next().await.expect("an answer")["id"], initialize);
        peer.response(start).await.expect("it is started");
        assert_eq!(peer.output_until_closed("p").await.text(), "hi\n");
        peer.finish().await;
    }

    async fn the_result_describes_the_server(server: &TestServer) {
        let mut peer = server.connect().await;
        let result = peer.call("initialize", json!({"clientName": "t", "unknown": [1]})).await;
        assert!(result["sessionId"].as_str().is_some_and(|id| id.len() >= 16), "{result}");

        let environment = &result["environmentInfo"];
        let shell = environment["shell"]["path"].as_str().expect("a shell has a path");
        assert!(shell.starts_with('/'), "shell.path is no URI: {shell}");
        let name = environment["shell"]["name"].as_str().expect("a shell has a name");
        assert!(shell.ends_with(name), "{shell} {name}");
        let cwd = environment["cwd"].as_str().expect("a server has a directory");
        assert!(cwd.starts_with("file:///"), "{cwd}");
        assert_eq!(environment["platformOs"], std::env::consts::OS);
        for member in ["userHomeDir", "tempDir"] {
            let path = &environment[member];
            let is_uri = path.as_str().is_some_and(|path| path.starts_with("file:///"));
            assert!(is_uri || path.is_null(), "{member}: {path}");
        }

        assert_eq!(result["serverInfo"]["name"], "exec-server");
        assert!(result["serverInfo"]["version"].as_str().is_some_and(|version| version.contains('.')));
        let capabilities = result["capabilities"].as_object().expect("capabilities are an object");
        for name in ["closeStdin", "resize", "initialSize", "writeEof", "signalDelivered"] {
            assert_eq!(capabilities.get(name), Some(&Value::Bool(true)), "{name}");
        }
        let limits = result["limits"].as_object().expect("limits are an object");
        for (name, value) in [
            ("messageBytes", 32 << 20),
            ("batchElements", 1000),
            ("messageDepth", 100),
            ("idBytes", 256),
            ("stdinQueueBytes", 1 << 20),
            ("writeIds", 1024),
            ("retainBytes", 1 << 20),
            ("readWaitMs", 60_000),
            ("terminateGraceMs", 2000),
            ("retainEndedMs", 60_000),
            ("detachedSessionMs", 90_000),
        ] {
            assert_eq!(limits.get(name), Some(&json!(value)), "{name}");
        }
        assert!(limits.values().all(|limit| limit.as_u64().is_some_and(|limit| limit > 0)), "{limits:?}");
        peer.notify("initialized", Value::Null).await;
        let info = peer.call("environment/info", Value::Null).await;
        assert_eq!(info["shell"], environment["shell"]);
        assert_eq!(info["cwd"], environment["cwd"]);
        peer.finish().await;
    }

    async fn an_unknown_session_cannot_be_resumed_and_the_connection_can_open_one(server: &TestServer) {
        let mut peer = server.connect().await;
        for id in ["", "no such session", "00000000-0000-4000-8000-000000000000"] {
            let error = peer.refused("initialize", json!({"clientName": "t", "resumeSessionId": id})).await;
            assert_eq!((error.code, error.kind()), (-32600, Some(ErrorKind::UnknownSession)), "{id:?}");
        }
        are_refused(&mut peer).await;
        peer.handshake().await;
        peer.call("environment/info", Value::Null).await;
        peer.finish().await;
    }

    async fn bad_params_of_initialize_are_refused_and_open_nothing(server: &TestServer) {
        let mut peer = server.connect().await;
        for (params, field) in [
            (json!([]), None),
            (json!(7), None),
            (json!({"clientName": 7}), Some("clientName")),
            (json!({"resumeSessionId": 7}), Some("resumeSessionId")),
            (json!({"resumeSessionId": "i".repeat(257)}), Some("resumeSessionId")),
        ] {
            let error = peer.refused("initialize", params.clone()).await;
            assert_eq!(error.kind(), Some(ErrorKind::InvalidParams), "{params}");
            assert_eq!(error.data.field.as_deref(), field, "{params}");
        }
        are_refused(&mut peer).await;
        peer.handshake().await;
        peer.finish().await;
    }

    async fn no_two_sessions_have_the_same_id(server: &TestServer) {
        let mut peer = server.connect().await;
        let one = peer.handshake().await.session_id;
        peer.finish().await;
        let other = TestServer::start(server.wire).await;
        let mut peer = other.connect().await;
        assert_ne!(peer.handshake().await.session_id, one);
        peer.finish().await;
        other.finish().await;
    }
}
