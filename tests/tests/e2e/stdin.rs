//! What is written reaches the program byte by byte, and so does the end of file.

use std::collections::VecDeque;

use exec_tests::{Peer, base64, on_every_wire};
use serde_json::json;

use crate::commands::{on_pipes, script, with, with_stdin};

const WRITES: usize = 10_000;

/// Writes without an answer at a time.
const IN_FLIGHT: usize = 64;

fn all_byte_values() -> Vec<u8> {
    (0..4 * 256).map(|n: u32| n.to_le_bytes()[0]).collect()
}

on_every_wire! {
    async fn ten_thousand_writes_in_flight_come_back_as_they_were(peer: &mut Peer) {
        peer.start(json!({"processId": "cat", "argv": ["cat"], "pipeStdin": true})).await;
        let mut written = Vec::new();
        let mut in_flight = VecDeque::new();
        for n in 0..WRITES {
            if in_flight.len() == IN_FLIGHT {
                let oldest: u64 = in_flight.pop_front().unwrap();
                assert_eq!(peer.response(oldest).await.unwrap()["status"], "accepted");
                peer.take_events("cat");
            }
            let line = format!("{n}{}\n", "x".repeat(n % 50));
            written.extend_from_slice(line.as_bytes());
            in_flight.push_back(peer.request_write("cat", line).await);
        }
        for id in in_flight {
            assert_eq!(peer.response(id).await.unwrap()["status"], "accepted");
        }
        assert_eq!(peer.call("process/closeStdin", json!({"processId": "cat"})).await, json!({"closed": true}));
        let transcript = peer.output_until_closed("cat").await;
        assert_eq!(transcript.exit_code, Some(0));
        let same = transcript.stdout.iter().zip(&written).take_while(|(a, b)| a == b).count();
        assert_eq!((same, transcript.stdout.len()), (written.len(), written.len()), "they differ at the first number");
    }

    async fn every_byte_value_passes_a_pipe(peer: &mut Peer) {
        peer.start(with_stdin("p", ["echo"])).await;
        let params = json!({"processId": "p", "chunk": base64(all_byte_values()), "eof": true});
        assert_eq!(peer.call("process/write", params).await["status"], "accepted");
        let transcript = peer.output_until_closed("p").await;
        assert_eq!(transcript.stdout, all_byte_values());
    }

    async fn every_byte_value_passes_a_raw_terminal(peer: &mut Peer) {
        peer.start(with(script("p", "stty raw -echo; echo ready; exec cat"), json!({"tty": true}))).await;
        peer.output_until("p", "ready\n").await;
        assert_eq!(peer.write("p", all_byte_values()).await, "accepted");
        let expected = [b"ready\n".to_vec(), all_byte_values()].concat();
        while peer.transcript("p").pty.len() < expected.len() {
            peer.event("p").await;
        }
        assert_eq!(peer.transcript("p").pty, expected);
        peer.terminate("p").await;
    }

    async fn eof_with_the_last_bytes_ends_a_pipe_and_later_writes_are_told_so(peer: &mut Peer) {
        peer.start(with_stdin("p", ["echo"])).await;
        let last = json!({"processId": "p", "chunk": base64("all"), "writeId": "last", "eof": true});
        assert_eq!(peer.call("process/write", last.clone()).await["status"], "accepted");
        assert_eq!(peer.write("p", "more").await, "stdinClosed");
        // A repeated one is no new one.
        assert_eq!(peer.call("process/write", last).await["status"], "accepted");
        let transcript = peer.output_until_closed("p").await;
        assert_eq!((transcript.stdout, transcript.exit_code), (b"all".to_vec(), Some(0)));
    }

    async fn a_repeated_write_id_is_typed_once_and_not_for_other_bytes(peer: &mut Peer) {
        peer.start(with_stdin("p", ["echo"])).await;
        let write = |chunk: &str| json!({"processId": "p", "chunk": base64(chunk), "writeId": "w"});
        for _ in 0..3 {
            assert_eq!(peer.call("process/write", write("once\n")).await["status"], "accepted");
        }
        let error = peer.refused("process/write", write("other")).await;
        assert_eq!((error.code, &error.data.kind[..]), (-32602, "writeIdReused"));
        peer.call("process/closeStdin", json!({"processId": "p"})).await;
        assert_eq!(peer.output_until_closed("p").await.stdout, b"once\n");
    }

    async fn without_pipe_stdin_there_is_an_end_of_file_and_nothing_to_write_to(peer: &mut Peer) {
        peer.start(on_pipes("p", ["echo"])).await;
        assert_eq!(peer.output_until_closed("p").await.exit_code, Some(0));
        peer.start(on_pipes("q", ["never-read"])).await;
        peer.output_until("q", "ready").await;
        assert_eq!(peer.write("q", "x").await, "stdinClosed");
        assert_eq!(peer.call("process/closeStdin", json!({"processId": "q"})).await, json!({"closed": false}));
        peer.terminate("q").await;
    }

    async fn a_write_that_is_pipelined_behind_its_start_waits_for_it(peer: &mut Peer) {
        let start = peer.request("process/start", with_stdin("p", ["echo"])).await;
        let first = peer.request_write("p", "one ").await;
        let second = peer.request_write("p", "two").await;
        let close = peer.request("process/closeStdin", json!({"processId": "p"})).await;
        peer.response(start).await.unwrap();
        for write in [first, second] {
            assert_eq!(peer.response(write).await.unwrap()["status"], "accepted");
        }
        assert_eq!(peer.response(close).await.unwrap(), json!({"closed": true}));
        assert_eq!(peer.output_until_closed("p").await.stdout, b"one two");
    }
}
