//! Raw messages, over every wire.

use bytes::Bytes;
use exec_client::{ConnectError, Disconnected, MAX_MESSAGE_BYTES, Transport};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::fake::soon;

fn shell(script: &str) -> Transport {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]);
    Transport::stdio(command).unwrap()
}

#[tokio::test]
async fn in_memory_a_message_arrives_as_it_is() {
    let (outgoing, mut heard) = mpsc::channel(1);
    let (say, incoming) = mpsc::channel(1);
    let (mut sender, mut receiver) = Transport::memory(outgoing, incoming).split();
    sender.send(Bytes::from_static(b"\xff no JSON")).await.unwrap();
    assert_eq!(heard.recv().await, Some(Bytes::from_static(b"\xff no JSON")));
    drop(say);
    assert_eq!(receiver.receive().await, None);
    drop(heard);
    assert_eq!(sender.send(Bytes::new()).await, Err(Disconnected));
    assert_eq!(sender.close().await, None);
}

#[tokio::test]
async fn on_stdio_a_message_is_a_line_and_the_server_leaves_at_the_end() {
    let (mut sender, mut receiver) = shell("cat; exit 7").split();
    let large = Bytes::from(vec![b'x'; 1 << 20]);
    let talk = async {
        for message in [
            Bytes::from_static(b"{\"a\":1}"),
            Bytes::from_static(b"\xff"),
            large.clone(),
        ] {
            sender.send(message).await.unwrap();
        }
        sender.close().await
    };
    let listen = async {
        assert_eq!(receiver.receive().await.as_deref(), Some(&b"{\"a\":1}"[..]));
        assert_eq!(receiver.receive().await.as_deref(), Some(&b"\xff"[..]));
        assert_eq!(receiver.receive().await, Some(large.clone()));
        assert_eq!(receiver.receive().await, None);
        assert_eq!(receiver.receive().await, None);
    };
    let (status, ()) = soon(async { tokio::join!(talk, listen) }).await;
    assert_eq!(status.and_then(|status| status.code()), Some(7));
}

#[tokio::test]
async fn on_stdio_blank_lines_carriage_returns_and_a_missing_newline_do_no_harm() {
    let (sender, mut receiver) = shell(r"printf '\n\r\n1\r\n\n2'").split();
    for expected in [Some(&b"1"[..]), Some(b"2"), None] {
        assert_eq!(soon(receiver.receive()).await.as_deref(), expected);
    }
    soon(sender.close()).await;
}

#[tokio::test]
async fn on_stdio_a_line_over_the_limit_ends_the_connection() {
    let script = format!("head -c {} /dev/zero", MAX_MESSAGE_BYTES + 2);
    let (_sender, mut receiver) = shell(&script).split();
    assert_eq!(soon(receiver.receive()).await, None);
    assert_eq!(soon(receiver.receive()).await, None);
}

#[tokio::test]
async fn on_a_websocket_a_message_is_a_frame_and_the_close_tells_why() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/path", listener.local_addr().unwrap());
    let serve = async {
        let (stream, _) = listener.accept().await.unwrap();
        tokio_tungstenite::accept_async(stream).await.unwrap()
    };
    let (transport, mut socket) = soon(async { tokio::join!(Transport::websocket(&url), serve) }).await;
    let (mut sender, mut receiver) = transport.unwrap().split();

    sender.send(Bytes::from_static(b"text")).await.unwrap();
    assert_eq!(soon(socket.next()).await.unwrap().unwrap(), Message::text("text"));
    sender.send(Bytes::from_static(b"\xff")).await.unwrap();
    assert_eq!(
        soon(socket.next()).await.unwrap().unwrap(),
        Message::binary(&b"\xff"[..])
    );

    let frame = CloseFrame {
        code: 1009.into(),
        reason: "too large".into(),
    };
    let messages = [
        Message::text("a"),
        Message::Ping(Bytes::new()),
        Message::binary(&b"b"[..]),
    ];
    for message in messages.into_iter().chain([Message::Close(Some(frame))]) {
        socket.send(message).await.unwrap();
    }
    assert_eq!(receiver.close_reason(), None);
    for expected in [Some(&b"a"[..]), Some(b"b"), None, None] {
        assert_eq!(soon(receiver.receive()).await.as_deref(), expected);
    }
    assert_eq!(receiver.close_code(), Some(1009));
    assert_eq!(receiver.close_reason().as_deref(), Some("too large"));
}

#[tokio::test]
async fn what_is_no_websocket_is_not_connected_to() {
    let outcome = Transport::websocket("http://127.0.0.1:1").await;
    assert!(matches!(outcome, Err(ConnectError::InvalidUrl { .. })));

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let hang_up = async { drop(listener.accept().await) };
    let (outcome, ()) = soon(async { tokio::join!(Transport::websocket(&url), hang_up) }).await;
    assert!(matches!(outcome, Err(ConnectError::Handshake(_))));
}
