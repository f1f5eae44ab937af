//! Reads that wait are woken, all of them, every time.

use std::collections::HashMap;

use exec_protocol::initialize::Notifications;
use exec_protocol::process::{ReadParams, ReadResult};
use exec_protocol::{Blob, Seq};
use exec_tests::{Peer, TestServer, blocks, on_every_wire};
use serde_json::json;

use super::{LONG_MS, after_offset, after_seq, closed};
use crate::commands::{on_pipes, with};

/// Polls at a time.
const POLLERS: usize = 1000;

/// Writes of the child, and its longest pause between two of them, in milliseconds: some come while all polls wait, and
/// some while they are answered.
const BURSTS: [&str; 3] = ["bursts", "40", "250"];

/// One who asks again and again for what follows.
enum Poller {
    /// Looks at the end only, by offset.
    Watcher { offset: u64 },
    /// Takes every byte, by number.
    Reader { seq: Seq, offset: u64 },
}

impl Poller {
    /// Every tenth reads; for each of a thousand to do so would only be a test of base64.
    fn new(number: usize) -> Self {
        if number.is_multiple_of(10) {
            Self::Reader {
                seq: Seq(0),
                offset: 0,
            }
        } else {
            Self::Watcher { offset: 0 }
        }
    }

    fn request(&self) -> ReadParams {
        match self {
            Self::Watcher { offset } => ReadParams {
                max_bytes: Some(0),
                wait_ms: LONG_MS,
                ..after_offset("p", *offset)
            },
            Self::Reader { seq, .. } => ReadParams {
                wait_ms: LONG_MS,
                ..after_seq("p", seq.0)
            },
        }
    }

    /// Takes an answer in. The end that it has seen, if that was the close.
    fn take(&mut self, answer: &ReadResult) -> Option<u64> {
        assert_eq!(answer.gap, None);
        match self {
            Self::Watcher { offset } => {
                let end = answer.end_offset.expect("it is told");
                assert!(end > *offset || answer.closed, "woken by nothing, at {offset}");
                *offset = end;
                answer.closed.then_some(end)
            }
            Self::Reader { seq, offset } => {
                assert!(
                    answer.next_seq > seq.next() || answer.closed,
                    "woken by nothing, at {seq}"
                );
                for chunk in &answer.chunks {
                    let Blob(bytes) = &chunk.chunk;
                    assert_eq!(chunk.offset, Some(*offset), "a hole");
                    blocks::check(*offset, bytes);
                    *offset += bytes.len() as u64;
                }
                *seq = Seq(answer.next_seq.0 - 1);
                let has_all = answer.closed && answer.end_offset == Some(*offset);
                has_all.then_some(*offset)
            }
        }
    }
}

async fn poll(peer: &mut Peer, poller: &Poller) -> u64 {
    let params = serde_json::to_value(poller.request()).expect("params are JSON");
    peer.request("process/read", params).await
}

on_every_wire! {
    async fn a_thousand_long_polls_see_every_write_to_the_last_byte(server: &TestServer) {
        let mut peer = server.session_to_be_told(Notifications::None).await;
        peer.start(with(on_pipes("p", BURSTS), json!({"retainBytes": 4 << 20}))).await;
        let mut waiting = HashMap::new();
        for number in 0..POLLERS {
            let poller = Poller::new(number);
            waiting.insert(poll(&mut peer, &poller).await, poller);
        }
        let mut ends = Vec::new();
        while !waiting.is_empty() {
            let message = peer.next().await.expect("the server stays");
            let id = message["id"].as_u64().unwrap_or_else(|| panic!("no answer: {message}"));
            let mut poller = waiting.remove(&id).expect("a poll is answered once");
            let answer = serde_json::from_value(message["result"].clone()).expect("it is a result");
            match poller.take(&answer) {
                Some(end) => ends.push(end),
                None => {
                    waiting.insert(poll(&mut peer, &poller).await, poller);
                }
            }
        }
        let end = closed(&mut peer, "p").await.end_offset.unwrap();
        assert!(end > 0);
        assert_eq!(ends, vec![end; POLLERS], "each has seen the last byte");
        peer.finish().await;
    }
}
