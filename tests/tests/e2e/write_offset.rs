//! `offset` of `process/write`: bytes that know where they belong.

use exec_tests::wait::within_patience;
use exec_tests::{Peer, TestServer, base64, blocks, on_every_wire, on_wires};
use serde_json::{Value, json};

use crate::commands::{on_terminal, script, with, with_stdin};
use crate::records::read;

/// What is written of a long input at a time, and in all, in bytes.
const PIECE_BYTES: usize = 300_000;
const LONG_BYTES: usize = 4 << 20;

/// Most that is accepted for a child that does not read: the queue, and what a pipe holds.
const MOST_HELD: u64 = (1 << 20) + (256 << 10);

/// Connections that break, and what is written on each, in bytes.
const CUTS: usize = 20;
const CUT_BYTES: usize = 10_000;

fn at(offset: u64, bytes: impl AsRef<[u8]>) -> Value {
    json!({"processId": "p", "offset": offset, "chunk": base64(bytes)})
}

fn with_eof(params: Value) -> Value {
    with(params, json!({"eof": true}))
}

/// Writes, and returns what became of it.
async fn write(peer: &mut Peer, params: Value) -> (String, Option<u64>) {
    let result = peer.call("process/write", params).await;
    let status = result["status"].as_str().expect("it has a status");
    (status.to_owned(), result["acceptedBytes"].as_u64())
}

fn accepted(bytes: u64) -> (String, Option<u64>) {
    ("accepted".into(), Some(bytes))
}

fn full(bytes: u64) -> (String, Option<u64>) {
    ("full".into(), Some(bytes))
}

fn closed() -> (String, Option<u64>) {
    ("stdinClosed".into(), None)
}

/// Numbered blocks.
fn long_input() -> Vec<u8> {
    let blocks = LONG_BYTES / blocks::BLOCK_BYTES;
    (0..blocks as u64).flat_map(blocks::block).collect()
}

on_every_wire! {
    async fn what_does_not_fit_is_taken_in_part_and_the_rest_comes_again(peer: &mut Peer) {
        let input = long_input();
        peer.start(with_stdin("p", ["echo-on-user1"])).await;
        peer.output_until("p", "ready\n").await;
        let (mut taken, mut is_reading) = (0, false);
        let writing = async {
            while taken < input.len() {
                let piece = &input[taken..input.len().min(taken + PIECE_BYTES)];
                let (status, bytes) = write(peer, at(taken as u64, piece)).await;
                let bytes = usize::try_from(bytes.expect("it is told")).unwrap();
                assert!(bytes <= piece.len());
                assert_eq!(status == "accepted", bytes == piece.len(), "{status} {bytes}");
                assert!(status == "accepted" || status == "full", "{status}");
                taken += bytes;
                if bytes == 0 && !is_reading {
                    assert!((1 << 20..=MOST_HELD).contains(&(taken as u64)), "{taken} bytes for nobody");
                    peer.call("process/signal", json!({"processId": "p", "signal": "user1"})).await;
                    is_reading = true;
                }
                peer.take_events("p");
            }
        };
        within_patience("all to be taken", writing).await;
        assert!(is_reading, "it never was full");
        assert_eq!(write(peer, with_eof(at(input.len() as u64, ""))).await, accepted(0));
        let transcript = peer.output_until_closed("p").await;
        let echoed = transcript.stdout.strip_prefix(b"ready\n").unwrap();
        assert_eq!(echoed.len(), input.len());
        blocks::check(0, echoed);
    }

    async fn bytes_that_were_taken_are_not_typed_again(peer: &mut Peer) {
        peer.start(with_stdin("p", ["echo"])).await;
        for _ in 0..3 {
            assert_eq!(write(peer, at(0, "hello ")).await, accepted(6));
        }
        assert_eq!(write(peer, at(2, "llo")).await, accepted(3), "it lies within");
        assert_eq!(write(peer, at(4, "o world")).await, accepted(7), "it overlaps");
        assert_eq!(write(peer, at(0, "hello world!")).await, accepted(12));
        assert_eq!(write(peer, with_eof(at(12, ""))).await, accepted(0));
        assert_eq!(peer.output_until_closed("p").await.text(), "hello world!");
    }

    async fn beyond_a_gap_nothing_is_taken(peer: &mut Peer) {
        peer.start(with_stdin("p", ["echo"])).await;
        for offset in [1, 3, 1 << 40, u64::MAX] {
            assert_eq!(write(peer, at(offset, "late")).await, full(0), "{offset}");
            assert_eq!(write(peer, with_eof(at(offset, ""))).await, full(0), "{offset}");
        }
        assert_eq!(write(peer, at(0, "in ")).await, accepted(3));
        assert_eq!(write(peer, at(4, "late")).await, full(0));
        assert_eq!(write(peer, with_eof(at(3, "order"))).await, accepted(5));
        assert_eq!(peer.output_until_closed("p").await.text(), "in order");
    }

    async fn the_end_of_file_comes_behind_the_last_byte_once(peer: &mut Peer) {
        peer.start(with_stdin("p", ["echo"])).await;
        assert_eq!(write(peer, with_eof(at(0, "all"))).await, accepted(3));
        assert_eq!(write(peer, with_eof(at(0, "all"))).await, accepted(3), "a repeated one is no new one");
        assert_eq!(write(peer, at(3, "more")).await, closed());
        assert_eq!(write(peer, at(2, "l and more")).await, closed());
        assert_eq!(write(peer, at(9, "late")).await, closed());
        let transcript = peer.output_until_closed("p").await;
        assert_eq!((transcript.text().as_str(), transcript.exit_code), ("all", Some(0)));
        assert_eq!(write(peer, with_eof(at(0, "all"))).await, accepted(3), "it was typed");
        assert_eq!(write(peer, at(3, "more")).await, closed());
    }

    async fn a_terminal_is_given_a_repeated_end_of_file_once(peer: &mut Peer) {
        let script = script("p", "stty -echo; echo ready; cat; echo first; cat; echo second");
        peer.start(with(script, json!({"tty": true}))).await;
        peer.output_until("p", "ready").await;
        for _ in 0..3 {
            assert_eq!(write(peer, with_eof(at(0, "line\n"))).await, accepted(5));
            peer.output_until("p", "first\r\n").await;
        }
        assert_eq!(write(peer, at(5, "more\n")).await, accepted(5));
        assert_eq!(write(peer, with_eof(at(10, ""))).await, accepted(0));
        let transcript = peer.output_until_closed("p").await;
        assert_eq!(transcript.text(), "ready\r\nline\r\nfirst\r\nmore\r\nsecond\r\n");
    }

    async fn some_with_and_some_without_are_refused(peer: &mut Peer) {
        peer.start(with_stdin("p", ["echo"])).await;
        assert_eq!(write(peer, at(0, "some")).await, accepted(4));
        for params in [json!({"processId": "p", "chunk": base64("x")}), json!({"processId": "p", "chunk": base64("x"), "writeId": "w"})] {
            let error = peer.refused("process/write", params).await;
            assert_eq!((error.code, &error.data.kind[..]), (-32602, "invalidParams"));
            assert_eq!(error.data.field.as_deref(), Some("offset"));
        }
        assert_eq!(write(peer, with_eof(at(4, "thing"))).await, accepted(5));
        assert_eq!(peer.output_until_closed("p").await.text(), "something");
        peer.call("process/forget", json!({"processId": "p"})).await;

        peer.start(with_stdin("p", ["echo"])).await;
        assert_eq!(peer.write("p", "some").await, "accepted");
        // Also where nothing of it would be typed.
        for params in [at(4, "x"), at(0, "some"), at(2, ""), at(9, "late")] {
            let error = peer.refused("process/write", params.clone()).await;
            assert_eq!((error.code, error.data.field.as_deref()), (-32602, Some("offset")), "{params}");
        }
        peer.call("process/closeStdin", json!({"processId": "p"})).await;
        assert_eq!(peer.output_until_closed("p").await.text(), "some");
    }

    async fn who_does_not_take_input_is_told_so(peer: &mut Peer) {
        assert_eq!(write(peer, at(0, "x")).await, ("unknownProcess".into(), None));
        peer.start(on_terminal("t", ["never-read"])).await;
        peer.start(crate::commands::on_pipes("p", ["never-read"])).await;
        assert_eq!(write(peer, at(0, "x")).await, closed());
        for id in ["t", "p"] {
            peer.output_until(id, "ready").await;
            peer.terminate(id).await;
        }
        for bad in [json!(-1), json!("0"), json!(0.5)] {
            let error = peer.refused("process/write", json!({"processId": "p", "chunk": "", "offset": bad})).await;
            assert_eq!((error.code, error.data.field.as_deref()), (-32602, Some("offset")));
        }
    }
}

on_wires! {
    [memory, websocket]
    async fn answers_that_are_lost_with_their_connection_cost_no_byte_and_double_none(server: &TestServer) {
        let input: Vec<u8> = long_input()[..CUTS * CUT_BYTES].to_vec();
        let mut peer = server.connect().await;
        let session_id = peer.handshake().await.session_id;
        peer.start(with_stdin("p", ["echo"])).await;
        for cut in 0..CUTS {
            let from = cut * CUT_BYTES;
            for piece in 0..4 {
                let begin = from + piece * CUT_BYTES / 4;
                peer.request("process/write", at(begin as u64, &input[begin..begin + CUT_BYTES / 4])).await;
            }
            peer.hang_up();
            peer = server.connect().await;
            peer.resume_silently(&session_id).await;
            // As much as came through is skipped.
            let writing = async {
                let mut taken = from;
                while taken < from + CUT_BYTES {
                    let piece = &input[taken..from + CUT_BYTES];
                    let (_, bytes) = write(&mut peer, at(taken as u64, piece)).await;
                    taken += usize::try_from(bytes.expect("it is told")).unwrap();
                }
            };
            within_patience("all to be taken", writing).await;
        }
        write(&mut peer, with_eof(at(input.len() as u64, ""))).await;
        let reading = async {
            loop {
                let answer = read(&mut peer, "p").await;
                if answer.closed {
                    return answer;
                }
            }
        };
        let answer = within_patience("the close", reading).await;
        let echoed: Vec<u8> = answer.chunks.iter().flat_map(|chunk| chunk.chunk.0.to_vec()).collect();
        assert_eq!((echoed.len(), answer.exit_code), (input.len(), Some(0)));
        blocks::check(0, &echoed);
        peer.finish().await;
    }
}
