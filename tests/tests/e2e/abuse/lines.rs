//! Lines on stdin that never end, or hold what no message holds.

use exec_tests::wait::within_patience;
use exec_tests::{Peer, fixture};
use serde_json::{Value, json};

use super::assert_grown_within;
use super::raw::{Raw, on_stdio};

/// What of an endless line is looked at, in bytes: many times what is kept.
const ENDLESS: usize = 256 << 20;

#[tokio::test]
async fn a_line_without_an_end_is_told_once_and_kept_by_nobody() {
    on_stdio(async |raw: &mut Raw, _: Option<&mut Peer>| {
        raw.start(json!({"processId": "p", "argv": fixture::argv(["never-read"])}))
            .await;
        let before = raw.server.anonymous_kib();
        let piece = [b"\0\xff\r\xc3".as_slice(), &vec![b'x'; 1 << 20]].concat();
        for _ in 0..ENDLESS / piece.len() {
            raw.send(&piece).await;
        }
        let refusal = within_patience("a refusal", raw.next()).await;
        assert_eq!(
            (&refusal["error"]["data"]["kind"], &refusal["id"]),
            (&json!("messageTooLarge"), &Value::Null)
        );
        assert_grown_within(raw.server, before, 0);
        raw.send(b"\r\n").await;
        let state = raw
            .call("process/read", json!({"processId": "p", "maxBytes": 0}))
            .await;
        assert_eq!(state["result"]["exited"], false);
    })
    .await;
}
