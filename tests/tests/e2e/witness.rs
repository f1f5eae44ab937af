//! A process that was there before, and must still be there after.

use exec_tests::{Peer, base64, fixture};
use serde_json::{Value, json};

/// Its name.
pub(crate) const NAME: &str = "witness";

/// Starts it.
pub(crate) async fn start(peer: &mut Peer) {
    peer.start(json!({"processId": NAME, "argv": fixture::argv(["echo"]), "pipeStdin": true}))
        .await;
}

/// Makes sure that the connection works and that the process runs, and runs on: it echoes `text`.
pub(crate) async fn answers(peer: &mut Peer, text: &str) {
    let info = peer.call("environment/info", Value::Null).await;
    assert!(info["shell"]["path"].is_string(), "{info}");
    let line = format!("<{text}>\n");
    // Without a write id: another connection of the session may have used any that we could name.
    let write = json!({"processId": NAME, "chunk": base64(&line)});
    let status = peer.call("process/write", write).await;
    assert_eq!(status["status"], "accepted");
    peer.output_until(NAME, &line).await;
}

/// Ends it.
pub(crate) async fn end(peer: &mut Peer) {
    let result = peer.call("process/closeStdin", json!({"processId": NAME})).await;
    assert_eq!(result, json!({"closed": true}));
    let transcript = peer.output_until_closed(NAME).await;
    assert_eq!(transcript.exit_code, Some(0));
}
