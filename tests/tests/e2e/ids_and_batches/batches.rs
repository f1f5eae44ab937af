//! Batches: one array when the last element is done.

use exec_protocol::ErrorKind;
use exec_tests::{Peer, TestServer, base64, fixture, on_every_wire};
use serde_json::{Value, json};

use crate::witness;

/// Longer than any test takes.
const FOREVER_MS: u64 = 60_000;

fn call(id: impl Into<Value>, method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params})
}

/// Claims the next array.
async fn array(peer: &mut Peer) -> Vec<Value> {
    match peer.claim("the answer to a batch", Value::is_array).await {
        Value::Array(answers) => answers,
        other => unreachable!("an array was claimed: {other}"),
    }
}

/// Sends a batch and claims its answer.
async fn answers(peer: &mut Peer, batch: Value) -> Vec<Value> {
    peer.send_text(batch.to_string()).await;
    array(peer).await
}

fn ids(answers: &[Value]) -> Vec<Value> {
    let mut ids: Vec<_> = answers.iter().map(|answer| answer["id"].clone()).collect();
    ids.sort_by_key(ToString::to_string);
    ids
}

fn with_id(answers: &[Value], id: impl Into<Value>) -> &Value {
    let id = id.into();
    answers
        .iter()
        .find(|answer| answer["id"] == id)
        .unwrap_or_else(|| panic!("no answer to {id}"))
}

on_every_wire! {
    async fn a_batch_is_answered_by_one_array_with_an_answer_for_each_request(peer: &mut Peer) {
        let batch = json!([
            call(1001, "environment/info", &Value::Null),
            {"jsonrpc": "2.0", "method": "no/such/notification"},
            call("x", "no/such", &json!({})),
            {"jsonrpc": "2.0", "id": 5, "result": "to a question nobody asked"},
            call(1002, "process/read", &json!([])),
        ]);
        let answers = answers(peer, batch).await;
        assert_eq!(ids(&answers), [json!("x"), json!(1001), json!(1002)]);
        assert!(with_id(&answers, 1001)["result"]["cwd"].is_string());
        assert_eq!(with_id(&answers, "x")["error"]["data"]["kind"], "methodNotFound");
        assert_eq!(with_id(&answers, 1002)["error"]["data"]["kind"], "invalidParams");
    }

    async fn a_batch_of_one_is_answered_by_an_array_of_one(peer: &mut Peer) {
        let answers = answers(peer, json!([call(1, "environment/info", &Value::Null)])).await;
        assert_eq!(ids(&answers), [json!(1)]);
    }

    async fn a_batch_waits_for_its_last_element_and_nothing_else_waits_for_it(peer: &mut Peer) {
        witness::start(peer).await;
        let read = json!({"processId": witness::NAME, "waitMs": FOREVER_MS});
        let batch = json!([call("read", "process/read", &read), call("info", "environment/info", &Value::Null)]);
        peer.send_text(batch.to_string()).await;
        for _ in 0..3 {
            peer.call("environment/info", Value::Null).await;
        }
        witness::answers(peer, "something to read").await;
        let answers = array(peer).await;
        assert_eq!(ids(&answers), [json!("info"), json!("read")]);
        assert_eq!(with_id(&answers, "read")["result"]["nextSeq"], 2);
        witness::end(peer).await;
    }

    async fn a_batch_of_notifications_only_has_no_answer(peer: &mut Peer) {
        witness::start(peer).await;
        peer.send_text(r#"[{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","method":"b","params":[1]},{"jsonrpc":"2.0","id":1,"result":1}]"#).await;
        witness::answers(peer, "and it costs nothing").await;
        witness::end(peer).await;
    }

    async fn bad_elements_are_answered_one_by_one(peer: &mut Peer) {
        let batch = json!([1, null, {}, [], [1], "text", {"id": "a"}, {"id": "b", "method": 7}, {"id": null, "method": "x"},
            call("ok", "environment/info", &Value::Null)]);
        let answers = answers(peer, batch).await;
        assert_eq!(answers.len(), 10, "{answers:?}");
        assert!(with_id(&answers, "ok").get("result").is_some());
        let refused: Vec<_> = answers.iter().filter(|answer| answer["id"] != "ok").collect();
        for answer in &refused {
            assert_eq!(answer["error"]["code"], -32600, "{answer}");
            assert_eq!(answer["error"]["data"]["kind"], "invalidRequest", "{answer}");
        }
        assert_eq!(refused.iter().filter(|answer| answer["id"].is_null()).count(), 7);
    }

    async fn a_batch_that_is_not_json_is_one_parse_error(peer: &mut Peer) {
        peer.send_text(r#"[{"jsonrpc":"2.0","id":1,"method":"process/start","params":{"processId":"p","argv":["/bin/echo"]}},{"#).await;
        let error = peer.response(Value::Null).await.expect_err("it is not JSON");
        assert_eq!(error.kind(), Some(ErrorKind::ParseError));
        let error = peer.refused("process/read", json!({"processId": "p"})).await;
        assert_eq!(error.kind(), Some(ErrorKind::UnknownProcess), "nothing of it was carried out");
    }

    async fn a_thousand_elements_are_a_batch(peer: &mut Peer) {
        let batch: Vec<_> = (0..1000).map(|id| call(id, "environment/info", &Value::Null)).collect();
        let answers = answers(peer, batch.into()).await;
        let mut numbers: Vec<_> = answers.iter().filter_map(|answer| answer["id"].as_u64()).collect();
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..1000));
    }

    async fn one_more_than_a_thousand_is_one_invalid_request_and_nothing_is_done(peer: &mut Peer) {
        let start = json!({"processId": "p", "argv": ["/bin/echo"]});
        let mut batch: Vec<_> = (0..1000).map(|id| call(id, "environment/info", &Value::Null)).collect();
        batch.insert(0, call("start", "process/start", &start));
        peer.send_text(Value::from(batch).to_string()).await;
        let error = peer.response(Value::Null).await.expect_err("it is too long");
        assert_eq!(error.kind(), Some(ErrorKind::InvalidRequest));
        let error = peer.refused("process/read", json!({"processId": "p"})).await;
        assert_eq!(error.kind(), Some(ErrorKind::UnknownProcess), "nothing of it was carried out");
    }

    async fn initialize_in_a_batch_is_refused_and_alone_it_works(server: &TestServer) {
        let mut peer = server.connect().await;
        let batch = json!([call(1, "initialize", &json!({"clientName": "t"})), call(2, "environment/info", &Value::Null)]);
        let answers = answers(&mut peer, batch).await;
        assert_eq!(ids(&answers), [json!(1), json!(2)]);
        assert_eq!(with_id(&answers, 1)["error"]["code"], -32600);
        assert_eq!(with_id(&answers, 1)["error"]["data"]["kind"], "invalidRequest");
        assert_eq!(with_id(&answers, 2)["error"]["data"]["kind"], "notInitialized");
        peer.handshake().await;
        let batch = json!([call(1001, "initialize", &json!({})), call(1002, "environment/info", &Value::Null)]);
        let answers = self::answers(&mut peer, batch).await;
        assert_eq!(with_id(&answers, 1001)["error"]["data"]["kind"], "invalidRequest");
        assert!(with_id(&answers, 1002).get("result").is_some());
        peer.finish().await;
    }

    async fn initialized_in_a_batch_opens_the_connection_for_those_behind_it(server: &TestServer) {
        let mut peer = server.connect().await;
        peer.call("initialize", json!({})).await;
        let batch = json!([
            call("before", "environment/info", &Value::Null),
            {"jsonrpc": "2.0", "method": "initialized"},
            call("behind", "environment/info", &Value::Null),
        ]);
        let answers = answers(&mut peer, batch).await;
        assert_eq!(with_id(&answers, "before")["error"]["data"]["kind"], "notInitialized");
        assert!(with_id(&answers, "behind").get("result").is_some());
        peer.finish().await;
    }

    async fn writes_in_one_batch_reach_stdin_in_their_order(peer: &mut Peer) {
        peer.start(json!({"processId": "p", "argv": fixture::argv(["echo"]), "pipeStdin": true})).await;
        let line = |number: u32| format!("{number}\n");
        let batch: Vec<_> = (0..300)
            .map(|number| call(10_000 + number, "process/write", &json!({"processId": "p", "chunk": base64(line(number))})))
            .chain([call("end", "process/closeStdin", &json!({"processId": "p"}))])
            .collect();
        let answers = answers(peer, batch.into()).await;
        assert_eq!(answers.len(), 301);
        assert_eq!(answers.iter().filter(|answer| answer["result"]["status"] == "accepted").count(), 300);
        let transcript = peer.output_until_closed("p").await;
        assert_eq!(transcript.text(), (0..300).map(line).collect::<String>());
    }

    async fn a_start_in_a_batch_is_there_for_the_element_behind_it(peer: &mut Peer) {
        let batch = json!([
            call("start", "process/start", &json!({"processId": "p", "argv": fixture::argv(["echo"]), "pipeStdin": true})),
            call("write", "process/write", &json!({"processId": "p", "chunk": base64("hi\n"), "eof": true})),
            call("read", "process/read", &json!({"processId": "p", "waitMs": FOREVER_MS})),
        ]);
        let answers = answers(peer, batch).await;
        assert_eq!(ids(&answers), [json!("read"), json!("start"), json!("write")]);
        assert!(answers.iter().all(|answer| answer.get("result").is_some()), "{answers:?}");
        assert_eq!(peer.output_until_closed("p").await.text(), "hi\n");
    }

    /// Thirty reads of a mebibyte each are 42 MB in base64.
    async fn answers_that_are_too_long_together_are_refused_one_by_one(peer: &mut Peer) {
        let megabyte = (1 << 20).to_string();
        let transcript = peer.run(json!({"processId": "p", "argv": fixture::argv(["emit", &megabyte])})).await;
        assert_eq!(transcript.stdout.len(), 1 << 20);
        let read = json!({"processId": "p"});
        let batch: Vec<_> = (0..30).map(|id| call(id, "process/read", &read)).collect();
        let answers = answers(peer, batch.into()).await;
        assert_eq!(answers.len(), 30);
        let (refused, read): (Vec<&Value>, Vec<&Value>) = answers.iter().partition(|answer| answer.get("error").is_some());
        assert!(refused.len() >= 6 && read.len() >= 20, "{} of them were refused", refused.len());
        for answer in refused {
            assert_eq!(answer["error"]["data"]["kind"], "messageTooLarge");
        }
    }
}
