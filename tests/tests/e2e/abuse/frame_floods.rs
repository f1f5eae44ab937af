//! Frames without end that make no message: who sends them slows nobody, is told why it is hung up on, and can come back.

use std::time::Duration;

use exec_server::limits::CONTROL_FRAMES_AT_ONCE;
use exec_tests::wait::within_patience;
use exec_tests::websocket::{Opcode, Part, RawWebsocket, frame, read_frame};
use exec_tests::{TestServer, on_wires};
use rustix::process::Signal;
use rustls::version::TLS13;
use serde_json::{Value, json};
use tempfile::tempdir;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, split};
use tokio::time::interval;

use super::raw::parse;
use crate::access::tls;

/// Many times what is let through of anything.
const FRAMES: usize = 20_000;

/// As many pings as are answered into a socket that nobody reads.
const UNREAD: usize = 10_000;

const TOO_MANY: &str = "too many pings and pongs";
const TOO_SMALL: &str = "the fragments of a message are too small";

/// A websocket over any stream.
struct Line {
    reader: Box<dyn AsyncRead + Unpin>,
    writer: Box<dyn AsyncWrite + Unpin>,
}

/// Whether a client takes what it is told while it sends.
#[derive(Clone, Copy)]
enum Reads {
    Meanwhile,
    Afterwards,
}

impl Line {
    async fn plain(server: &TestServer) -> Self {
        let stream = RawWebsocket::connect(server.url(), "/", b"").await.into_stream();
        Self::over(stream)
    }

    fn over(stream: impl AsyncRead + AsyncWrite + Unpin + 'static) -> Self {
        let (reader, writer) = split(stream);
        Self {
            reader: Box::new(reader),
            writer: Box::new(writer),
        }
    }

    async fn send(&mut self, bytes: &[u8]) {
        let sent = within_patience("the server to read", self.writer.write_all(bytes)).await;
        sent.expect("the server has hung up");
        self.writer.flush().await.expect("the server has hung up");
    }

    /// The next frame, whatever it is.
    async fn next(&mut self) -> (u8, Vec<u8>) {
        within_patience("a frame", read_frame(&mut self.reader))
            .await
            .expect("the server has hung up")
    }

    async fn call(&mut self, method: &str, params: Value) -> Value {
        let call = json!({"id": 1, "method": method, "params": params}).to_string();
        self.send(&frame(Opcode::Text, Part::Last, call.as_bytes())).await;
        self.answer().await
    }

    /// The next message; pongs before it are dropped.
    async fn answer(&mut self) -> Value {
        loop {
            let (opcode, payload) = self.next().await;
            let text = String::from_utf8_lossy(&payload);
            if opcode != Opcode::Pong as u8 {
                assert_eq!(opcode, Opcode::Text as u8, "{text}");
                return parse(&text)["result"].clone();
            }
        }
    }

    /// Shakes hands, and returns the name of the session.
    async fn initialize(&mut self, params: Value) -> Value {
        let session_id = self.call("initialize", params).await["sessionId"].clone();
        assert!(session_id.is_string());
        self.send(&frame(Opcode::Text, Part::Last, br#"{"method":"initialized"}"#))
            .await;
        session_id
    }

    async fn is_answered(&mut self) {
        for _ in 0..20 {
            assert!(self.call("environment/info", Value::Null).await.is_object());
        }
    }

    /// Sends bytes that the server need not take, and returns the code and the reason with which it hangs up.
    async fn closed_over(&mut self, bytes: &[u8], reads: Reads) -> (u16, String) {
        let Self { reader, writer } = self;
        let sending = async {
            // It may have hung up before the end.
            let _ = writer.write_all(bytes).await;
            let _ = writer.flush().await;
        };
        let closing = async {
            loop {
                let (opcode, payload) = read_frame(reader).await.expect("hung up without a reason");
                if opcode == Opcode::Close as u8 {
                    let (code, reason) = payload.split_at(2);
                    let reason = String::from_utf8(reason.to_vec()).expect("a reason is text");
                    break (u16::from_be_bytes([code[0], code[1]]), reason);
                }
                assert_eq!(opcode, Opcode::Pong as u8);
            }
        };
        let both = async {
            match reads {
                Reads::Meanwhile => tokio::join!(sending, closing).1,
                Reads::Afterwards => {
                    sending.await;
                    closing.await
                }
            }
        };
        within_patience("the end", both).await
    }
}

/// What nobody needs, why it is refused, and whether the answers to it are taken.
fn floods() -> Vec<(&'static str, Vec<u8>, Reads, &'static str)> {
    let control = |opcode, times| frame(opcode, Part::Last, b"p").repeat(times);
    let fragments = |payload: &[u8]| {
        let mut bytes = frame(Opcode::Text, Part::More, b"");
        bytes.extend(frame(Opcode::Continuation, Part::More, payload).repeat(FRAMES));
        bytes
    };
    vec![
        ("pings", control(Opcode::Ping, FRAMES), Reads::Meanwhile, TOO_MANY),
        (
            "unread pings",
            control(Opcode::Ping, UNREAD),
            Reads::Afterwards,
            TOO_MANY,
        ),
        ("pongs", control(Opcode::Pong, FRAMES), Reads::Meanwhile, TOO_MANY),
        ("empty fragments", fragments(b""), Reads::Meanwhile, TOO_SMALL),
        (
            "fragments of a byte",
            fragments(b" "),
            Reads::Meanwhile,
            TOO_SMALL,
        ),
    ]
}

/// Floods a server in all ways, each on a connection of its own, while another one is served.
async fn are_closed_with_a_reason_and_can_resume(connect: impl AsyncFn() -> Line) {
    let mut other = connect().await;
    other.initialize(json!({})).await;
    for (what, flood, reads, expected) in floods() {
        let mut line = connect().await;
        let session_id = line.initialize(json!({})).await;
        let (closed, ()) = tokio::join!(line.closed_over(&flood, reads), other.is_answered());
        assert_eq!((closed.0, closed.1.as_str()), (1008, expected), "{what}");
        let mut again = connect().await;
        let resumed = again.initialize(json!({"resumeSessionId": session_id})).await;
        assert_eq!(resumed, session_id, "{what}");
        again.is_answered().await;
    }
}

#[tokio::test]
async fn who_floods_over_tls_is_closed_with_a_reason_and_can_resume() {
    let place = tempdir().expect("there is room for a directory");
    tls::make_certificate(place.path());
    let (server, address) = tls::listening(place.path()).await;
    let connect = async || {
        let stream = tls::connected(&address, tls::certificate(place.path()), &[&TLS13]).await;
        Line::over(tls::websocket(stream.expect("it speaks TLS")).await)
    };
    are_closed_with_a_reason_and_can_resume(connect).await;
    server.signal(Signal::TERM);
    assert!(server.output().await.status.success());
}

on_wires! {
    [websocket]
    async fn who_floods_is_closed_with_a_reason_and_can_resume(server: &TestServer) {
        are_closed_with_a_reason_and_can_resume(async || Line::plain(server).await).await;
    }

    [websocket]
    async fn what_came_before_a_flood_is_carried_out(server: &TestServer) {
        let mut line = Line::plain(server).await;
        line.initialize(json!({})).await;
        let request = frame(Opcode::Text, Part::Last, br#"{"id":1,"method":"environment/info"}"#);
        let (_, fragments, ..) = &floods()[3];
        line.send(&[request, fragments.clone()].concat()).await;
        assert!(line.answer().await.is_object());
        let (code, reason) = line.closed_over(b"", Reads::Meanwhile).await;
        assert_eq!((code, reason.as_str()), (1008, TOO_SMALL));
    }

    [websocket]
    async fn who_pings_as_people_do_is_not_hung_up_on(server: &TestServer) {
        const PER_SECOND: u32 = 20;
        const PINGS: u32 = 100;
        let mut line = Line::plain(server).await;
        line.initialize(json!({})).await;
        // All at once that it may send at once, so that those behind it have to be given back by the second.
        let ping = frame(Opcode::Ping, Part::Last, b"at once");
        line.send(&ping.repeat(CONTROL_FRAMES_AT_ONCE as usize)).await;
        assert!(line.call("environment/info", Value::Null).await.is_object());
        let mut pace = interval(Duration::from_secs(1) / PER_SECOND);
        for number in 0..PINGS {
            pace.tick().await;
            if number == 0 {
                // It comes at once, and would be one too many.
                continue;
            }
            let payload = number.to_string();
            line.send(&frame(Opcode::Ping, Part::Last, payload.as_bytes())).await;
            assert_eq!(line.next().await, (Opcode::Pong as u8, payload.into_bytes()));
        }
        assert!(line.call("environment/info", Value::Null).await.is_object());
    }

    [websocket]
    async fn five_hundred_pings_and_pongs_at_once_are_nobodys_harm(server: &TestServer) {
        let mut line = Line::plain(server).await;
        line.initialize(json!({})).await;
        for opcode in [Opcode::Ping, Opcode::Pong] {
            line.send(&frame(opcode, Part::Last, &[b'p'; 125]).repeat(500)).await;
            line.is_answered().await;
        }
    }

    [websocket]
    async fn a_long_message_may_come_in_fragments_with_pings_between_them(server: &TestServer) {
        const FRAGMENTS: usize = 4096;
        let mut line = Line::plain(server).await;
        line.initialize(json!({})).await;
        let fragment = frame(Opcode::Continuation, Part::More, &[b' '; 1024]);
        let ping = frame(Opcode::Ping, Part::Last, b"");
        let mut message = frame(Opcode::Text, Part::More, br#"{"id":1,"method":"environment/info""#);
        for number in 0..FRAGMENTS {
            message.extend_from_slice(&fragment);
            if number % 16 == 0 {
                message.extend_from_slice(&ping);
            }
        }
        message.extend(frame(Opcode::Continuation, Part::Last, b"}"));
        for _ in 0..2 {
            line.send(&message).await;
            assert!(line.answer().await.is_object());
        }
    }
}
