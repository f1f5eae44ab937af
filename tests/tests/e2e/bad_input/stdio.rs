//! Lines, and what is none.

use exec_protocol::ErrorKind;
use exec_tests::{TestServer, on_wires, program};
use serde_json::{Value, json};

use crate::witness;

/// A line far beyond the limit, in bytes.
const LONG_LINE_BYTES: usize = 100 << 20;

/// What such a line may cost the server at most, in KiB. The longest message that it must be able
/// to take in is a good third of that.
const MAX_RESIDENT_KIB: u64 = 80 << 10;

const HELLO: &str = concat!(
    r#"{"id":1,"method":"initialize","params":{"clientName":"t"}}"#,
    "\n",
    r#"{"method":"initialized"}"#,
    "\n"
);

on_wires! {
    [stdio]
    async fn a_line_of_a_hundred_megabytes_is_refused_and_not_kept(server: &TestServer) {
        let mut peer = server.session().await;
        witness::start(&mut peer).await;
        peer.send_text(vec![b'a'; LONG_LINE_BYTES]).await;
        let answer = peer.claim("a refusal", |message| message.get("error").is_some()).await;
        assert_eq!(answer["error"]["data"]["kind"], ErrorKind::MessageTooLarge.as_str());
        assert_eq!(answer["id"], Value::Null);
        witness::answers(&mut peer, "still here").await;
        let process = server.process().expect("it runs on its own");
        let most = process.status_kib("VmHWM").expect("it runs");
        assert!(most < MAX_RESIDENT_KIB, "the server took {most} KiB");
        witness::end(&mut peer).await;
        peer.finish().await;
    }
}

/// The ids of the answers to a conversation that ends with its input.
async fn answered_ids(input: &str) -> Vec<Value> {
    let output = program::output(program::server([]), input).await;
    assert!(output.status.success(), "{output:?}");
    program::messages(&output.stdout)
        .into_iter()
        .filter(|message| message.get("method").is_none())
        .map(|message| message["id"].clone())
        .collect()
}

#[tokio::test]
async fn a_line_may_end_like_on_windows_and_be_blank() {
    let input = [HELLO, "\n\r\n   \n\t\r\n{\"id\":2,\"method\":\"environment/info\"}\r\n\n\n  {\"id\":3,\"method\":\"environment/info\"}  \n"].concat();
    assert_eq!(answered_ids(&input).await, [json!(1), json!(2), json!(3)]);
}

#[tokio::test]
async fn the_last_line_needs_no_end() {
    let input = [HELLO, "{\"id\":2,\"method\":\"environment/info\"}"].concat();
    assert_eq!(answered_ids(&input).await, [json!(1), json!(2)]);
}

#[tokio::test]
async fn a_last_line_that_breaks_off_is_answered_too() {
    let input = [HELLO, "{\"id\":2,\"meth"].concat();
    assert_eq!(answered_ids(&input).await, [json!(1), Value::Null]);
}

#[tokio::test]
async fn no_input_at_all_is_no_error() {
    assert_eq!(answered_ids("").await, [] as [Value; 0]);
    assert_eq!(answered_ids("\n\n").await, [] as [Value; 0]);
}

#[tokio::test]
async fn bad_bytes_between_two_lines_leave_both_whole() {
    let input = [
        HELLO.as_bytes(),
        b"\xff\xfe\x00\n{\"id\":2,\"method\":\"environment/info\"}\n\xc3\n",
        b"{\"id\":3,\"method\":\"environment/info\"}\n",
    ]
    .concat();
    let output = program::output(program::server([]), input).await;
    let ids: Vec<_> = program::messages(&output.stdout)
        .into_iter()
        .map(|message| message["id"].clone())
        .collect();
    assert_eq!(ids, [json!(1), Value::Null, json!(2), Value::Null, json!(3)]);
}
