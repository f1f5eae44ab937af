//! Messages that are none.

use exec_protocol::ErrorKind::{self, InvalidRequest, MessageTooLarge, ParseError};
use exec_tests::{Peer, on_every_wire, on_wires};
use serde_json::{Value, json};

use crate::witness;

/// As long as a message may be, in bytes: 32 MiB.
const LIMIT_BYTES: usize = 32 << 20;

/// Sends something bad, which must be answered by one error with this kind and id, and looks
/// whether everything else is as it was.
async fn costs_only_itself(peer: &mut Peer, message: Vec<u8>, kind: ErrorKind, id: Value) {
    let shown: String = String::from_utf8_lossy(&message).chars().take(60).collect();
    peer.send_text(message).await;
    let answer = peer
        .claim(&format!("the answer to {shown:?}"), |message| {
            message.get("error").is_some()
        })
        .await;
    assert_eq!(
        answer["error"]["data"]["kind"],
        kind.as_str(),
        "{shown}: {answer}"
    );
    assert_eq!(answer["error"]["code"], kind.code() as i32, "{shown}: {answer}");
    assert_eq!(answer["id"], id, "{shown}: {answer}");
    witness::answers(peer, &shown.replace('"', "'")).await;
}

/// A request that is as long as asked for.
fn request_of(bytes: usize) -> Vec<u8> {
    let (head, tail) = (r#"{"id":"long","method":"no/such","params":{"a":""#, r#""}}"#);
    let filling = "a".repeat(bytes - head.len() - tail.len());
    [head, &filling, tail].concat().into_bytes()
}

on_every_wire! {
    async fn what_is_not_json_is_a_parse_error(peer: &mut Peer) {
        witness::start(peer).await;
        for text in [
            "nonsense",
            "{",
            "}",
            "]",
            "[1,2",
            r#"{"id":1,"method":"environment/info""#,
            r#"{"id":1,"method":"environment"#,
            r#"{"id":1,"method":"environment/info"} and more"#,
            r#"{"id":1,"method":"environment/info"}{"id":2,"method":"environment/info"}"#,
            "{'id':1}",
            r#"{"id":01,"method":"environment/info"}"#,
            r#"{"id":1,"method":"a\x"}"#,
            r#"{"id":1,"method":"environment/info",}"#,
            "NaN",
            "\u{feff}{}",
            "\0",
        ] {
            costs_only_itself(peer, text.into(), ParseError, Value::Null).await;
        }
        witness::end(peer).await;
    }

    async fn json_that_is_no_message_is_an_invalid_request(peer: &mut Peer) {
        witness::start(peer).await;
        for text in ["[]", " [ ] ", "1", "-1.5e3", "null", "true", r#""text""#, "{}", r#"{"params":{}}"#] {
            costs_only_itself(peer, text.into(), InvalidRequest, Value::Null).await;
        }
        witness::end(peer).await;
    }

    async fn a_message_with_a_bad_member_is_answered_under_its_id(peer: &mut Peer) {
        witness::start(peer).await;
        for text in [
            r#"{"id":"x"}"#,
            r#"{"id":"x","method":7}"#,
            r#"{"id":"x","method":null}"#,
            r#"{"id":"x","method":{}}"#,
            r#"{"id":"x","method":["environment/info"]}"#,
            r#"{"id":"x","jsonrpc":"1.0","method":"environment/info"}"#,
            r#"{"id":"x","jsonrpc":2.0,"method":"environment/info"}"#,
            r#"{"id":"x","jsonrpc":"","method":"environment/info"}"#,
        ] {
            costs_only_itself(peer, text.into(), InvalidRequest, json!("x")).await;
        }
        witness::end(peer).await;
    }

    async fn an_id_that_is_none_is_refused_and_not_repeated(peer: &mut Peer) {
        witness::start(peer).await;
        let huge = "i".repeat(64 << 10);
        for id in ["null", "true", "false", "{}", r#"{"a":1}"#, "[]", "[1]", &format!("{huge:?}"), &"9".repeat(64 << 10)] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"environment/info"}}"#);
            costs_only_itself(peer, text.into(), InvalidRequest, Value::Null).await;
        }
        witness::end(peer).await;
    }

    async fn a_member_that_comes_twice_is_refused_under_the_id_if_that_came_once(peer: &mut Peer) {
        witness::start(peer).await;
        for text in [
            r#"{"id":"x","method":"environment/info","method":"environment/info"}"#,
            r#"{"method":"environment/info","params":{},"params":null,"id":"x"}"#,
            r#"{"jsonrpc":"2.0","jsonrpc":"2.0","id":"x","method":"environment/info"}"#,
        ] {
            costs_only_itself(peer, text.into(), InvalidRequest, json!("x")).await;
        }
        let twice = r#"{"id":"x","id":"x","method":"environment/info"}"#;
        costs_only_itself(peer, twice.into(), InvalidRequest, Value::Null).await;
        witness::end(peer).await;
    }

    async fn two_hundred_thousand_brackets_are_a_parse_error(peer: &mut Peer) {
        witness::start(peer).await;
        let count = 200_000;
        let params = |nested: String| format!(r#"{{"id":1,"method":"environment/info","params":{{"a":{nested}}}}}"#);
        for text in [
            "[".repeat(count),
            "{\"a\":".repeat(count),
            ["[".repeat(count), "]".repeat(count)].concat(),
            params(["[".repeat(count), "]".repeat(count)].concat()),
            params(["{\"a\":".repeat(count), "1".into(), "}".repeat(count)].concat()),
        ] {
            costs_only_itself(peer, text.into(), ParseError, Value::Null).await;
        }
        witness::end(peer).await;
    }

    /// On the websocket this is a binary frame; a text frame must be UTF-8 by the rules of websockets.
    async fn bytes_that_are_not_utf_8_are_a_parse_error(peer: &mut Peer) {
        witness::start(peer).await;
        for bytes in [
            &b"{\"id\":1,\"method\":\"environment/info\xff\"}"[..],
            b"\xff\xfe",
            b"{\"id\":\"\xc3\",\"method\":\"environment/info\"}",
            b"{\"id\":\"\xed\xa0\x80\",\"method\":\"environment/info\"}",
        ] {
            costs_only_itself(peer, bytes.into(), ParseError, Value::Null).await;
        }
        witness::end(peer).await;
    }

    async fn a_message_as_long_as_the_limit_is_taken(peer: &mut Peer) {
        witness::start(peer).await;
        costs_only_itself(peer, request_of(LIMIT_BYTES), ErrorKind::MethodNotFound, json!("long")).await;
        witness::end(peer).await;
    }
}

on_wires! {
    [memory, stdio]
    async fn a_message_longer_than_the_limit_is_refused(peer: &mut Peer) {
        witness::start(peer).await;
        costs_only_itself(peer, request_of(LIMIT_BYTES + 1), MessageTooLarge, Value::Null).await;
        witness::end(peer).await;
    }
}
