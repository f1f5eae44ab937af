//! Answers overtake output: what the kernel holds, and what is being written, is all that comes before them.

use std::fs;
use std::time::Duration;

use exec_tests::wait::until;
use exec_tests::{Peer, TestServer, Wire, on_every_wire, websocket};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::progress::Progress;
use crate::commands::on_pipes;

/// How fast the client reads, in bytes per second.
const BYTES_PER_SECOND: u64 = 2_000_000;

/// What the client has read when it begins to ask, and how much it reads between two questions, in bytes.
const BETWEEN_BYTES: usize = 500_000;

/// Questions.
const QUESTIONS: usize = 3;

/// What the server puts together for one write, in bytes.
const BATCH_BYTES: usize = 96 << 10;

/// The longest notification of output, in bytes: 64 KiB in base64 and its frame.
const NOTIFICATION_BYTES: usize = 88 << 10;

/// A client that reads no faster than it should.
struct SlowReader<'a> {
    peer: &'a mut Peer,
    began: Instant,
    bytes: usize,
}

impl SlowReader<'_> {
    async fn next(&mut self) -> (usize, Value) {
        let due = Duration::from_micros(self.bytes as u64 * 1_000_000 / BYTES_PER_SECOND);
        sleep_until(self.began + due).await;
        let text = self.peer.next_text().await.expect("the server stays");
        self.bytes += text.len();
        (
            text.len(),
            serde_json::from_str(&text).expect("a message is JSON"),
        )
    }
}

/// What lies in the sockets between a server at this port and its clients now, in bytes.
fn in_sockets(port: u16) -> usize {
    let table = fs::read_to_string("/proc/net/tcp").expect("there is TCP");
    let mut bytes = 0;
    for line in table.lines().skip(1) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let has_port = |address: &str| address.ends_with(&format!(":{port:04X}"));
        let queue = |at: usize| {
            let queues: Vec<&str> = fields[4].split(':').collect();
            usize::from_str_radix(queues[at], 16).expect("a queue has a length")
        };
        // Sent and not acknowledged by the one, acknowledged and not read by the other.
        match (has_port(fields[1]), has_port(fields[2])) {
            (true, false) if fields[3] == "01" => bytes += queue(0),
            (false, true) if fields[3] == "01" => bytes += queue(1),
            _ => {}
        }
    }
    bytes
}

/// What is on its way to a client that does not keep up, in bytes.
fn in_transit(server: &TestServer) -> usize {
    match server.wire {
        // The queue in memory counts messages.
        Wire::Memory => 64 * NOTIFICATION_BYTES,
        // A pipe that may have been enlarged, and the client's own buffer.
        Wire::Stdio => (256 << 10) + (64 << 10),
        // And the client's own buffer.
        Wire::Websocket => in_sockets(websocket::address(server.url()).port()) + (128 << 10),
    }
}

on_every_wire! {
    async fn an_answer_comes_behind_what_is_on_its_way_and_one_batch(server: &TestServer) {
        let mut peer = server.session().await;
        for id in ["1", "2"] {
            peer.start(on_pipes(id, ["stamped-flood"])).await;
        }
        while peer.transcript("1").offset == 0 {
            peer.event("1").await;
        }
        peer.take_events("1");
        peer.take_events("2");
        let mut reader = SlowReader { peer: &mut peer, began: Instant::now(), bytes: 0 };
        for question in 1..=QUESTIONS {
            while reader.bytes < question * BETWEEN_BYTES {
                let (_, message) = reader.next().await;
                assert!(message["method"].is_string(), "{message}");
            }
            // While nobody reads, what is on its way can be counted. That the request was taken in is seen by what
            // it does.
            let progress = Progress::new();
            let params = progress.of_blocks(&format!("question {question}"), 100);
            let id = reader.peer.request("process/start", params).await;
            until("the request was taken in", || progress.written() == 100).await;
            let held = in_transit(server);
            let most = held + BATCH_BYTES + NOTIFICATION_BYTES;
            let mut before = 0;
            loop {
                let (bytes, message) = reader.next().await;
                if message["id"] == id {
                    break;
                }
                before += bytes;
                assert!(before <= most, "{before} bytes came before the answer; {held} were on their way");
            }
        }
        for id in ["1", "2"] {
            reader.peer.request("process/terminate", json!({"processId": id})).await;
        }
        peer.hang_up();
    }
}
