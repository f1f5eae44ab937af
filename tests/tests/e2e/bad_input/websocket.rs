//! Frames that end a connection, and some that do not.

use exec_protocol::SessionId;
use exec_tests::websocket::{Opcode, Part, RawWebsocket, frame_head};
use exec_tests::{Peer, TestServer, on_wires};
use serde_json::json;

use crate::witness;

/// Beyond what a message may have, in bytes: 32 MiB and one.
const TOO_LONG_BYTES: u64 = (32 << 20) + 1;

/// A connection that has taken over the session of `peer`, in which the witness runs.
async fn instead_of(server: &TestServer, peer: Peer, session_id: &SessionId) -> RawWebsocket {
    peer.finish().await;
    let mut raw = RawWebsocket::connect(server.url(), "/", b"").await;
    let initialize = json!({"id": 1, "method": "initialize", "params": {"clientName": "raw", "resumeSessionId": session_id}});
    raw.send_text(&initialize.to_string()).await;
    assert_eq!(raw.answer(1).await["result"]["sessionId"], session_id.as_str());
    raw.send_text(r#"{"method":"initialized"}"#).await;
    raw
}

/// Sends frames over which the server must hang up with this code, and looks whether the session
/// can be taken up again and its process runs.
async fn is_closed_over(server: &TestServer, frames: &[Vec<u8>], code: u16) {
    let mut peer = server.connect().await;
    let session_id = peer.handshake().await.session_id;
    witness::start(&mut peer).await;
    witness::answers(&mut peer, "before").await;
    let seen = peer.transcript(witness::NAME).last_seq;
    let mut raw = instead_of(server, peer, &session_id).await;
    for bytes in frames {
        raw.send_bytes(bytes).await;
    }
    let (said, reason) = raw.close_frame().await;
    assert_eq!(said, code, "{reason}");
    assert!(!reason.is_empty(), "closed without a reason");
    drop(raw);
    let mut peer = server.connect().await;
    assert_eq!(peer.resume(&session_id).await.session_id, session_id);
    peer.follow(witness::NAME, seen);
    witness::answers(&mut peer, "after").await;
    witness::end(&mut peer).await;
    peer.finish().await;
}

fn text(part: Part, payload: &[u8]) -> Vec<u8> {
    exec_tests::websocket::frame(Opcode::Text, part, payload)
}

fn more(part: Part, payload: &[u8]) -> Vec<u8> {
    exec_tests::websocket::frame(Opcode::Continuation, part, payload)
}

on_wires! {
    [websocket]
    async fn a_text_frame_that_is_not_utf_8_closes_with_1007_and_costs_no_process(server: &TestServer) {
        is_closed_over(server, &[text(Part::Last, b"{\"id\":2,\"method\":\"environment/info\xff\"}")], 1007).await;
    }

    [websocket]
    async fn fragments_that_are_not_utf_8_together_close_with_1007(server: &TestServer) {
        is_closed_over(server, &[text(Part::More, b"{\"id\":2"), more(Part::Last, b"\xc3\"}")], 1007).await;
    }

    [websocket]
    async fn a_frame_over_the_limit_closes_with_1009_at_its_head(server: &TestServer) {
        is_closed_over(server, &[frame_head(Opcode::Text, Part::Last, TOO_LONG_BYTES)], 1009).await;
    }

    [websocket]
    async fn a_frame_that_claims_to_be_endless_closes_with_1009(server: &TestServer) {
        is_closed_over(server, &[frame_head(Opcode::Binary, Part::Last, u64::MAX >> 1)], 1009).await;
    }

    [websocket]
    async fn a_whole_message_over_the_limit_closes_with_1009(server: &TestServer) {
        let payload = vec![b'a'; usize::try_from(TOO_LONG_BYTES).expect("it fits")];
        is_closed_over(server, &[text(Part::Last, &payload)], 1009).await;
    }

    [websocket]
    async fn fragments_over_the_limit_together_close_with_1009(server: &TestServer) {
        let payload = vec![b'a'; 8 << 20];
        let frames = [
            text(Part::More, &payload),
            more(Part::More, &payload),
            more(Part::More, &payload),
            more(Part::More, &payload),
            more(Part::Last, b"a"),
        ];
        is_closed_over(server, &frames, 1009).await;
    }

    [websocket]
    async fn a_frame_against_the_rules_closes_with_1002_and_costs_no_process(server: &TestServer) {
        is_closed_over(server, &[more(Part::Last, b"of nothing")], 1002).await;
    }

    [websocket]
    async fn a_message_may_come_as_a_binary_frame_and_in_fragments(server: &TestServer) {
        let mut raw = RawWebsocket::connect(server.url(), "/", b"").await;
        raw.send(Opcode::Binary, Part::Last, br#"{"id":1,"method":"initialize","params":{}}"#).await;
        assert!(raw.answer(1).await["result"]["sessionId"].is_string());
        raw.send(Opcode::Text, Part::More, br#"{"method":"#).await;
        raw.send(Opcode::Continuation, Part::Last, br#""initialized"}"#).await;
        raw.send(Opcode::Binary, Part::More, br#"{"id":2,"method":"environment/"#).await;
        raw.send(Opcode::Continuation, Part::More, b"").await;
        raw.send(Opcode::Continuation, Part::Last, br#"info"}"#).await;
        assert!(raw.answer(2).await["result"]["cwd"].is_string());
    }

    [websocket]
    async fn frames_that_no_peer_may_send_end_the_connection_only(server: &TestServer) {
        for bytes in [
            // An opcode that does not exist, a continuation of nothing, and a frame without a mask.
            &b"\x83\x80\0\0\0\0"[..],
            b"\x80\x80\0\0\0\0",
            b"\x81\x02{}",
        ] {
            let mut raw = RawWebsocket::connect(server.url(), "/", b"").await;
            raw.send_bytes(bytes).await;
            raw.closed().await;
        }
        let peer = server.session().await;
        peer.finish().await;
    }
}
