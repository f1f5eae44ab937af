//! What was said right before the connection broke is carried out.

use std::time::Duration;

use exec_protocol::SessionId;
use exec_tests::websocket::{Opcode, Part, RawWebsocket, frame};
use exec_tests::{Peer, TestServer, Wire, fixture, on_wires};
use serde_json::{Value, json};
use tokio::task::yield_now;
use tokio::time::sleep;

use super::Line;

/// How a connection ends.
#[derive(Debug, Clone, Copy)]
enum End {
    /// A websocket says goodbye in the packet of its last message.
    Goodbye,
    /// The socket closes, and nothing is said.
    Drop,
    /// The socket is reset.
    Reset,
}

/// Takes up the session, says this, and is gone after so many turns.
async fn say_and_leave(server: &TestServer, session_id: &SessionId, message: Value, end: End, turns: u32) {
    if server.wire == Wire::Memory {
        let mut peer = server.connect().await;
        peer.resume(session_id).await;
        peer.send_text(message.to_string()).await;
        for _ in 0..turns {
            yield_now().await;
        }
        return peer.hang_up();
    }
    let text = |message: &Value| frame(Opcode::Text, Part::Last, message.to_string().as_bytes());
    let mut raw = RawWebsocket::connect(server.url(), "/", b"").await;
    raw.send_bytes(&text(
        &json!({"id": 1, "method": "initialize", "params": {"resumeSessionId": session_id}}),
    ))
    .await;
    raw.answer(1).await;
    let mut packet = [text(&json!({"method": "initialized"})), text(&message)].concat();
    if matches!(end, End::Goodbye) {
        packet.extend(frame(Opcode::Close, Part::Last, &1000_u16.to_be_bytes()));
    }
    raw.send_bytes(&packet).await;
    // Any point is a good one; nothing depends on which it is.
    sleep(Duration::from_micros(u64::from(turns) * 150)).await;
    match end {
        End::Reset => raw.reset(),
        End::Goodbye | End::Drop => drop(raw),
    }
}

/// Waits until a process has exited, and returns the code.
async fn exit_code(peer: &mut Peer, process_id: &str) -> Value {
    let mut after = 0;
    loop {
        let read = json!({"processId": process_id, "afterSeq": after, "waitMs": 60_000});
        let read = peer.call("process/read", read).await;
        if read["exited"] == true {
            return read["exitCode"].clone();
        }
        after = read["nextSeq"].as_u64().expect("a number") - 1;
    }
}

on_wires! {
    [memory, websocket]
    async fn a_terminate_is_carried_out_though_the_client_hangs_up_with_it(server: &TestServer) {
        let line = Line::to(server).await;
        for end in [End::Goodbye, End::Drop, End::Reset] {
            let (mut peer, session_id) = line.open().await;
            peer.start(json!({"processId": "p", "argv": ["/bin/sleep", "1000"]})).await;
            peer.finish().await;
            let terminate = json!({"id": 2, "method": "process/terminate", "params": {"processId": "p"}});
            say_and_leave(server, &session_id, terminate, end, 0).await;
            let mut peer = line.resume(&session_id).await;
            assert_eq!(exit_code(&mut peer, "p").await, 128 + 15, "{end:?}");
            peer.hang_up();
        }
    }

    [memory, websocket]
    async fn a_process_that_was_started_right_before_the_cut_is_in_the_session(server: &TestServer) {
        let line = Line::to(server).await;
        let (peer, session_id) = line.open().await;
        peer.finish().await;
        for turns in 0..20 {
            let id = turns.to_string();
            let params = json!({"processId": id, "argv": fixture::argv(["echo"]), "pipeStdin": true});
            let start = json!({"id": 2, "method": "process/start", "params": params});
            let end = [End::Goodbye, End::Drop, End::Reset][turns as usize % 3];
            say_and_leave(server, &session_id, start, end, turns).await;
        }
        let mut peer = line.resume(&session_id).await;
        for turns in 0..20 {
            let id = turns.to_string();
            peer.write(&id, format!("{id}\n")).await;
            peer.call("process/closeStdin", json!({"processId": id})).await;
            let transcript = peer.output_until_closed(&id).await;
            assert_eq!((transcript.text(), transcript.exit_code), (format!("{id}\n"), Some(0)));
        }
        peer.finish().await;
    }

    [memory, websocket]
    async fn a_write_right_before_the_cut_is_typed(server: &TestServer) {
        let line = Line::to(server).await;
        let (mut peer, session_id) = line.open().await;
        peer.start(json!({"processId": "p", "argv": fixture::argv(["echo"]), "pipeStdin": true})).await;
        peer.finish().await;
        let mut expected = String::new();
        for turns in 0..10 {
            let line = format!("{turns}\n");
            let params = json!({"processId": "p", "chunk": exec_tests::base64(&line), "writeId": turns.to_string()});
            let write = json!({"id": 2, "method": "process/write", "params": params});
            let end = [End::Reset, End::Drop, End::Goodbye][turns as usize % 3];
            say_and_leave(server, &session_id, write, end, turns).await;
            expected.push_str(&line);
        }
        let mut peer = line.resume(&session_id).await;
        let mut all = String::new();
        let mut after = 0;
        while all.len() < expected.len() {
            let read = peer.call("process/read", json!({"processId": "p", "afterSeq": after, "waitMs": 60_000})).await;
            after = read["nextSeq"].as_u64().expect("a number") - 1;
            for chunk in read["chunks"].as_array().expect("chunks are an array") {
                let bytes: exec_protocol::Blob = serde_json::from_value(chunk["chunk"].clone()).expect("it is base64");
                all.push_str(&String::from_utf8_lossy(&bytes.0));
            }
        }
        assert_eq!(all, expected);
        peer.hang_up();
    }
}
