//! Frames that are worth nothing, in great number or of great length.

use exec_server::limits::MAX_MESSAGE_BYTES;
use exec_tests::wait::within_patience;
use exec_tests::websocket::{Opcode, Part, RawWebsocket, frame, read_frame};
use exec_tests::{TestServer, on_wires};
use tokio::io::{AsyncRead, AsyncWriteExt as _};

use super::raw::Raw;
use super::{assert_grown_within, is_answered};

const REQUEST: &[u8] = br#"{"id":1,"method":"environment/info"}"#;

/// Sends bytes that the server need not take, and returns the code and the reason with which it hangs up.
async fn closed_over(server: &TestServer, bytes: &[u8]) -> (u16, String) {
    let stream = RawWebsocket::connect(server.url(), "/", b"").await.into_stream();
    let (mut reader, mut writer) = stream.into_split();
    let sending = async {
        // It may have hung up before the end.
        let _ = writer.write_all(bytes).await;
        // Else the socket would end with this, and a goodbye would find nobody.
        writer
    };
    within_patience("the end", async {
        tokio::join!(sending, close_frame(&mut reader)).1
    })
    .await
}

async fn close_frame(reader: &mut (impl AsyncRead + Unpin)) -> (u16, String) {
    loop {
        let (opcode, payload) = read_frame(reader).await.expect("hung up without a reason");
        if opcode == Opcode::Close as u8 {
            let (code, reason) = payload.split_at(2);
            let reason = String::from_utf8(reason.to_vec()).expect("a reason is text");
            return (u16::from_be_bytes([code[0], code[1]]), reason);
        }
    }
}

on_wires! {
    [websocket]
    async fn what_no_client_may_send_is_closed_with_1002_and_a_reason(server: &TestServer) {
        let mut other = server.session().await;
        for (what, bytes) in [
            ("an opcode that does not exist", &b"\x83\x80\0\0\0\0"[..]),
            ("a control opcode that does not exist", b"\x8b\x80\0\0\0\0"),
            ("a continuation of nothing", b"\x80\x80\0\0\0\0"),
            ("a frame without a mask", b"\x81\x02{}"),
            ("a frame that claims to be compressed", b"\xc1\x82\0\0\0\0{}"),
            ("a reserved bit", b"\x91\x82\0\0\0\0{}"),
            ("a ping in fragments", b"\x09\x81\0\0\0\0a"),
            ("a ping of 126 bytes", &[b"\x89\xfe\0\x7e\0\0\0\0".as_slice(), &[b'p'; 126]].concat()),
            ("a text within a text", b"\x01\x81\0\0\0\0a\x81\x81\0\0\0\0b"),
            ("a goodbye of one byte", b"\x88\x81\0\0\0\0a"),
        ] {
            let (code, reason) = closed_over(server, bytes).await;
            assert_eq!((code, reason.as_str()), (1002, "a frame is not one that a client may send"), "{what}");
        }
        is_answered(&mut other).await;
        other.finish().await;
    }

    [websocket]
    async fn a_goodbye_with_a_code_that_means_nothing_is_a_goodbye(server: &TestServer) {
        for goodbye in [&b""[..], b"\x03\xe8bye", b"\x00\x00", b"\xff\xff\xff"] {
            let mut raw = RawWebsocket::connect(server.url(), "/", b"").await;
            raw.send(Opcode::Close, Part::Last, goodbye).await;
            raw.closed().await;
        }
        server.session().await.finish().await;
    }

    [websocket]
    async fn a_message_of_three_hundred_megabytes_is_closed_with_1009_where_it_gets_too_long(server: &TestServer) {
        let mut other = server.session().await;
        let process = server.process().expect("it runs on its own");
        let before = process.anonymous_kib();
        let payload = vec![b'x'; 1 << 20];
        let mut frames = frame(Opcode::Text, Part::More, &payload);
        frames.extend(frame(Opcode::Continuation, Part::More, &payload).repeat(299));
        let (code, reason) = closed_over(server, &frames).await;
        assert_eq!((code, reason.as_str()), (1009, "a message is longer than the limit"));
        is_answered(&mut other).await;
        assert_grown_within(process, before, (MAX_MESSAGE_BYTES >> 10) as u64);
        other.finish().await;
    }

    [websocket]
    async fn a_short_message_may_come_byte_by_byte_and_between_empty_fragments(server: &TestServer) {
        const EMPTY: usize = 5_000;
        let mut other = server.session().await;
        let mut raw = Raw::connect(server).await;
        let before = raw.server.anonymous_kib();
        raw.send(&frame(Opcode::Text, Part::More, b"")).await;
        let empty = frame(Opcode::Continuation, Part::More, b"").repeat(EMPTY);
        tokio::join!(raw.send(&empty), is_answered(&mut other));
        for byte in REQUEST {
            raw.send(&frame(Opcode::Continuation, Part::More, &[*byte])).await;
        }
        let spaces = frame(Opcode::Continuation, Part::More, b" ").repeat(EMPTY);
        tokio::join!(raw.send(&spaces), is_answered(&mut other));
        raw.send(&frame(Opcode::Continuation, Part::Last, b"")).await;
        assert!(raw.next().await["result"].is_object());
        assert_grown_within(raw.server, before, 0);
        other.finish().await;
    }
}
