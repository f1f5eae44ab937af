//! The published client of jsonrpsee, unmodified, is a client of this server.

use std::time::Duration;

use exec_protocol::Blob;
use exec_protocol::process::{ClosedParams, ExitedParams, OutputParams, Stream};
use exec_tests::wait::within_patience;
use exec_tests::{TestServer, base64, fixture, on_wires};
use jsonrpsee_core::client::{ClientT as _, Error, Subscription, SubscriptionClientT as _};
use jsonrpsee_core::params::{ArrayParams, BatchRequestBuilder, ObjectParams};
use jsonrpsee_ws_client::{WsClient, WsClientBuilder};
use serde_json::{Value, json};

async fn connect(server: &TestServer) -> WsClient {
    let building = WsClientBuilder::default().build(server.url());
    let client = within_patience("a connection", building)
        .await
        .expect("the server is there");
    let session: Value = client
        .request("initialize", params(json!({"clientName": "jsonrpsee"})))
        .await
        .expect("a session");
    assert!(session["sessionId"].is_string(), "{session}");
    client
        .notification("initialized", ObjectParams::new())
        .await
        .expect("it is connected");
    client
}

fn params(members: Value) -> ObjectParams {
    let Value::Object(members) = members else {
        panic!("params are an object: {members}");
    };
    let mut params = ObjectParams::new();
    for (name, value) in members {
        params.insert(&name, value).expect("it is JSON");
    }
    params
}

async fn next<T: serde::de::DeserializeOwned>(subscription: &mut Subscription<T>) -> T {
    let next = within_patience("a notification", subscription.next()).await;
    next.expect("the connection lives")
        .expect("a notification is what it should be")
}

/// Runs `cat` and takes its notifications.
async fn converse(client: &WsClient) {
    let mut output: Subscription<OutputParams> = client
        .subscribe_to_method("process/output")
        .await
        .expect("a name");
    let mut exited: Subscription<ExitedParams> = client
        .subscribe_to_method("process/exited")
        .await
        .expect("a name");
    let mut closed: Subscription<ClosedParams> = client
        .subscribe_to_method("process/closed")
        .await
        .expect("a name");
    let start = json!({"processId": "p", "argv": fixture::argv(["echo"]), "pipeStdin": true});
    let started: Value = client
        .request("process/start", params(start))
        .await
        .expect("it is started");
    assert_eq!(
        (&started["processId"], &started["sandboxType"]),
        (&json!("p"), &json!("none"))
    );
    let write = json!({"processId": "p", "chunk": base64("hello\n"), "eof": true});
    let written: Value = client
        .request("process/write", params(write))
        .await
        .expect("it is taken");
    assert_eq!(written["status"], "accepted");
    let mut said = Vec::new();
    let mut seq = 0;
    while said.len() < 6 {
        let OutputParams {
            seq: at,
            stream,
            chunk: Blob(bytes),
            ..
        } = next(&mut output).await;
        assert_eq!((at.0, stream), (seq + 1, Stream::Stdout));
        seq = at.0;
        said.extend_from_slice(&bytes);
    }
    assert_eq!(said, b"hello\n");
    let exit = next(&mut exited).await;
    assert_eq!((exit.seq.0, exit.exit_code), (seq + 1, 0));
    assert_eq!(next(&mut closed).await.seq.0, seq + 2);
    let read: Value = client
        .request("process/read", params(json!({"processId": "p"})))
        .await
        .expect("it is kept");
    assert_eq!(read["chunks"][0]["seq"], 1);
    assert_eq!(read["closed"], true);
}

/// What the server refuses comes to the caller as it was said.
async fn refusals(client: &WsClient) {
    let unknown = client.request::<Value, _>("no/such", ObjectParams::new()).await;
    assert_eq!(refusal(unknown), (-32601, "methodNotFound".into()));
    let positional = client
        .request::<Value, _>("process/read", ArrayParams::new())
        .await;
    // Without an element, jsonrpsee's array is no params at all.
    assert_eq!(refusal(positional), (-32602, "invalidParams".into()));
    let missing = client
        .request::<Value, _>("process/read", params(json!({"processId": "x"})))
        .await;
    assert_eq!(refusal(missing), (-32600, "unknownProcess".into()));
}

fn refusal(outcome: Result<Value, Error>) -> (i32, String) {
    match outcome {
        Err(Error::Call(error)) => {
            let data: Value =
                serde_json::from_str(error.data().expect("every error has data").get()).expect("it is JSON");
            (
                error.code(),
                data["kind"].as_str().expect("a kind is text").into(),
            )
        }
        other => panic!("not refused: {other:?}"),
    }
}

on_wires! {
    [websocket]
    async fn it_runs_a_process_and_gets_its_notifications(server: &TestServer) {
        let client = connect(server).await;
        converse(&client).await;
        refusals(&client).await;
        drop(client);
    }

    [websocket]
    async fn its_requests_may_overtake_a_long_poll(server: &TestServer) {
        let client = connect(server).await;
        let start = json!({"processId": "p", "argv": fixture::argv(["echo"]), "pipeStdin": true});
        let _: Value = client.request("process/start", params(start)).await.expect("it is started");
        let read = client.request::<Value, _>("process/read", params(json!({"processId": "p", "waitMs": 60_000})));
        let rest = async {
            let _: Value = client.request("environment/info", ObjectParams::new()).await.expect("it is answered");
            let write = json!({"processId": "p", "chunk": base64("x"), "eof": true});
            client.request::<Value, _>("process/write", params(write)).await.expect("it is taken")
        };
        let (read, _) = within_patience("both", async { tokio::join!(read, rest) }).await;
        assert_eq!(read.expect("there is output")["chunks"][0]["chunk"], base64("x"));
    }

    [websocket]
    async fn its_batches_are_answered(server: &TestServer) {
        let client = connect(server).await;
        let mut batch = BatchRequestBuilder::new();
        for _ in 0..10 {
            batch.insert("environment/info", ObjectParams::new()).expect("it is JSON");
        }
        batch.insert("no/such", ObjectParams::new()).expect("it is JSON");
        let answers = within_patience("a batch", client.batch_request::<Value>(batch)).await.expect("it is answered");
        assert_eq!((answers.num_successful_calls(), answers.num_failed_calls()), (10, 1));
    }

    [websocket]
    async fn its_pings_are_answered(server: &TestServer) {
        let pings = jsonrpsee_ws_client::PingConfig::new().ping_interval(Duration::from_millis(20)).max_failures(1);
        let building = WsClientBuilder::default().enable_ws_ping(pings).build(server.url());
        let client = within_patience("a connection", building).await.expect("the server is there");
        let _: Value = client.request("initialize", ObjectParams::new()).await.expect("a session");
        client.notification("initialized", ObjectParams::new()).await.expect("it is connected");
        let start = json!({"processId": "p", "argv": ["/bin/sleep", "0.5"]});
        let _: Value = client.request("process/start", params(start)).await.expect("it is started");
        let read = json!({"processId": "p", "waitMs": 60_000});
        let read: Value = client.request("process/read", params(read)).await.expect("the connection lives");
        assert_eq!(read["exited"], true);
    }
}
