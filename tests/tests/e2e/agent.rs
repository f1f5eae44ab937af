//! A coding agent that was written for another server: what it was recorded to say is said again, and what the recordings
//! do not hold, because nothing went wrong in them, is added to its habits.

mod away;
mod differences;
mod flood;
mod folders;
mod last_packet;
mod lost_answers;
mod pipelined;
mod recording;
mod replay;
mod scenarios;
mod told;

use exec_tests::TestServer;
use exec_tests::websocket::{Opcode, Part, RawWebsocket, frame};
use serde_json::{Value, json};

/// A request in a frame.
fn request(id: u64, method: &str, params: &Value) -> Vec<u8> {
    let message = json!({"id": id, "method": method, "params": params});
    frame(Opcode::Text, Part::Last, message.to_string().as_bytes())
}

/// What the agent says behind the answer to `initialize`, in a frame.
fn initialized() -> Vec<u8> {
    let message = json!({"method": "initialized", "params": {}});
    frame(Opcode::Text, Part::Last, message.to_string().as_bytes())
}

/// Connects and gets as far as the answer to `initialize`, which has the id 1; returns the session.
async fn initialize(server: &TestServer, resume_session_id: Option<&str>) -> (RawWebsocket, String) {
    let mut client = RawWebsocket::connect(server.url(), "/", b"").await;
    let params = json!({"clientName": "codex-environment", "resumeSessionId": resume_session_id});
    client.send_bytes(&request(1, "initialize", &params)).await;
    let answer = client.answer(1).await;
    let session_id = answer["result"]["sessionId"].as_str();
    let session_id = session_id.unwrap_or_else(|| panic!("no session: {answer}"));
    (client, session_id.to_owned())
}

/// A connection that has opened a session, and the session.
async fn open(server: &TestServer) -> (RawWebsocket, String) {
    let (mut client, session_id) = initialize(server, None).await;
    client.send_bytes(&initialized()).await;
    (client, session_id)
}

/// A connection that has taken up a session.
async fn resume(server: &TestServer, session_id: &str) -> RawWebsocket {
    let (mut client, same) = initialize(server, Some(session_id)).await;
    assert_eq!(same, session_id);
    client.send_bytes(&initialized()).await;
    client
}

/// Asks, and returns the result. What is told before that is dropped.
async fn call(client: &mut RawWebsocket, id: u64, method: &str, params: Value) -> Value {
    client.send_bytes(&request(id, method, &params)).await;
    let mut answer = client.answer(id).await;
    assert!(
        answer.get("error").is_none(),
        "{method} was refused: {answer}: {params}"
    );
    answer["result"].take()
}
