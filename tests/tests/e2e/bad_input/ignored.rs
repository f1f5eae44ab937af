//! Messages that need no answer and get none.

use exec_tests::{Peer, on_every_wire};

use crate::witness;

on_every_wire! {
    async fn unknown_notifications_are_ignored(peer: &mut Peer) {
        witness::start(peer).await;
        for text in [
            r#"{"jsonrpc":"2.0","method":"no/such"}"#,
            r#"{"jsonrpc":"2.0","method":"no/such","params":{"a":1}}"#,
            r#"{"jsonrpc":"2.0","method":"no/such","params":[1]}"#,
            r#"{"jsonrpc":"2.0","method":"no/such","params":7}"#,
            r#"{"jsonrpc":"2.0","method":""}"#,
            r#"{"jsonrpc":"2.0","method":"initialized"}"#,
            r#"{"jsonrpc":"2.0","method":"initialized","params":[]}"#,
            r#"{"jsonrpc":"2.0","method":"initialize","params":{}}"#,
            r#"{"jsonrpc":"2.0","method":"process/closed","params":{"processId":"witness","seq":1}}"#,
        ] {
            peer.send_text(text).await;
            witness::answers(peer, text).await;
        }
        witness::end(peer).await;
    }

    /// A request without an id is a notification, and there is none of that name.
    async fn a_method_that_is_sent_as_a_notification_is_not_called(peer: &mut Peer) {
        witness::start(peer).await;
        peer.send_text(r#"{"jsonrpc":"2.0","method":"process/terminate","params":{"processId":"witness"}}"#).await;
        peer.send_text(r#"{"jsonrpc":"2.0","method":"process/start","params":{"processId":"p","argv":["/bin/echo"]}}"#).await;
        witness::answers(peer, "still here").await;
        witness::end(peer).await;
    }

    async fn answers_that_nobody_asked_for_are_ignored(peer: &mut Peer) {
        witness::start(peer).await;
        for text in [
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":null}"#,
            r#"{"jsonrpc":"2.0","id":"x","result":[1,2]}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":7}"#,
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no","data":{"a":1}}}"#,
        ] {
            peer.send_text(text).await;
            witness::answers(peer, text).await;
        }
        witness::end(peer).await;
    }
}
