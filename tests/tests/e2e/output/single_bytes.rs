//! Output in the smallest pieces costs as little as it can, and loses as little.

use exec_protocol::initialize::Notifications;
use exec_protocol::process::{ReadParams, Stream};
use exec_protocol::{Blob, Seq};
use exec_tests::{Peer, TestServer, on_every_wire};
use serde_json::json;

use super::{Marker, after_offset, after_seq, closed, read};
use crate::commands::{on_pipes, with};

/// Writes of one byte each, by turns on both streams.
const WRITES: u64 = 400_000;

/// What a client that is busy gets for so many bytes, in notifications: those that go out before it is, and then the
/// pieces that the server read while the child was quicker than itself.
const MOST_NOTIFICATIONS: u64 = WRITES / 4;

fn writer() -> serde_json::Value {
    on_pipes("p", ["single-bytes", &WRITES.to_string()])
}

/// What was written to one of the streams.
fn digits() -> Vec<u8> {
    b"0123456789"
        .iter()
        .copied()
        .cycle()
        .take(usize::try_from(WRITES / 2).expect("it fits"))
        .collect()
}

on_every_wire! {
    async fn with_room_for_them_all_single_bytes_are_all_kept(server: &TestServer) {
        let mut peer = server.session_to_be_told(Notifications::None).await;
        peer.start(with(writer(), json!({"retainBytes": 4 << 20}))).await;
        let state = closed(&mut peer, "p").await;
        assert_eq!((state.first_offset, state.end_offset, state.gap), (Some(0), Some(WRITES), None));
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let (mut seq, mut offset) = (0, 0);
        while offset < WRITES {
            let page = ReadParams { max_bytes: Some(100_000), ..after_seq("p", seq) };
            let page = read(&mut peer, page).await;
            assert_eq!(page.gap, None);
            for chunk in page.chunks {
                assert_eq!((chunk.seq, chunk.offset), (Seq(seq + 1), Some(offset)));
                let Blob(bytes) = chunk.chunk;
                (seq, offset) = (seq + 1, offset + bytes.len() as u64);
                match chunk.stream {
                    Stream::Stdout => stdout.extend_from_slice(&bytes),
                    Stream::Stderr => stderr.extend_from_slice(&bytes),
                    Stream::Pty => panic!("there is no terminal"),
                }
            }
        }
        assert!(stdout == digits(), "{} bytes on stdout", stdout.len());
        assert!(stderr == digits(), "{} bytes on stderr", stderr.len());
        peer.finish().await;
    }

    async fn of_single_bytes_what_is_kept_and_the_gap_are_all_there_was(server: &TestServer) {
        let mut peer = server.session_to_be_told(Notifications::None).await;
        // By default, and with so little room that most must go.
        for (id, retain_bytes) in [("default", None), ("little", Some(64 << 10))] {
            let argv = writer()["argv"].take();
            peer.start(json!({"processId": id, "argv": argv, "retainBytes": retain_bytes})).await;
            let state = closed(&mut peer, id).await;
            assert_eq!(state.end_offset, Some(WRITES));
            let mut page = read(&mut peer, after_offset(id, 0)).await;
            let lost = page.gap.map_or(0, |gap| gap.bytes);
            assert!(retain_bytes.is_none() || lost >= WRITES - (64 << 10), "{lost} bytes are lost");
            assert_eq!(state.first_offset, Some(lost));
            let (mut stdout, mut stderr) = (0, 0);
            let mut next = page.gap.map_or(Seq(1), |gap| gap.to_seq.next());
            while !page.chunks.is_empty() {
                for chunk in &page.chunks {
                    assert_eq!(chunk.seq, next, "a hole");
                    next = chunk.seq.next();
                    let stream = if chunk.stream == Stream::Stdout { &mut stdout } else { &mut stderr };
                    *stream += chunk.chunk.0.len() as u64;
                }
                page = read(&mut peer, after_offset(id, page.next_offset.unwrap())).await;
                assert_eq!(page.gap, None);
            }
            assert_eq!(lost + stdout + stderr, WRITES, "{id}");
            assert!(stdout <= WRITES / 2 && stderr <= WRITES / 2, "{stdout} and {stderr}");
        }
        peer.finish().await;
    }

    async fn a_busy_client_is_told_of_single_bytes_in_large_pieces(peer: &mut Peer) {
        let marker = Marker::new();
        // With room for all, so that the child is not held up.
        peer.start(marker.on(with(writer(), json!({"retainBytes": 4 << 20})))).await;
        marker.ended().await;
        let transcript = peer.output_until_closed("p").await;
        assert!(transcript.stdout == digits() && transcript.stderr == digits());
        let notifications = transcript.last_seq - 2;
        assert!(notifications <= MOST_NOTIFICATIONS, "{notifications} notifications for {WRITES} bytes");
    }
}
