//! A flood leaves the others their turn.

use std::collections::HashMap;
use std::time::Duration;

use exec_protocol::Blob;
use exec_tests::wait::within_patience;
use exec_tests::{Peer, blocks, clock, on_every_wire};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use crate::commands::{on_pipes, with};

/// Processes that write as much as they can.
const FLOODS: [&str; 4] = ["1", "2", "3", "4"];

/// Lines that are looked at; one is written every 30 ms.
const LINES: usize = 40;

/// How fast the client reads, in bytes of output per second: slower than even one flood, so that each has more to say
/// whenever it has its turn.
const BYTES_PER_SECOND: u64 = 16 << 20;

/// Most bytes of all floods together that were written after a line and arrive before it.
///
/// Nothing but what overtakes a line on its way is counted: while it waits in its pipe and for its process's turn, and
/// behind one turn for each flood. What waits in the kernel or in a ring was written before.
const MOST_BYTES: usize = 1 << 20;

/// What came of one process, stamp by stamp.
#[derive(Default)]
struct Stamps {
    /// How many bytes came so far.
    bytes: usize,
    /// A stamp that has not come to its end.
    torn: Vec<u8>,
    times: Vec<Vec<u8>>,
}

impl Stamps {
    /// Takes output in, which has a stamp at the beginning of each `stride` bytes.
    fn take(&mut self, mut bytes: &[u8], stride: usize) {
        while !bytes.is_empty() {
            let at = self.bytes % stride;
            let length = bytes.len().min(stride - at);
            let (here, rest) = bytes.split_at(length);
            // Behind a gap there may be the rest of one only.
            if at == self.torn.len() {
                self.torn.extend(here.iter().take(clock::STAMP_BYTES - at));
            }
            if self.torn.len() == clock::STAMP_BYTES {
                self.times.push(std::mem::take(&mut self.torn));
            }
            self.bytes += length;
            bytes = rest;
        }
    }

    /// What lies before this offset is lost.
    fn skip_to(&mut self, offset: u64) {
        self.bytes = usize::try_from(offset).expect("it fits");
        self.torn.clear();
    }

    /// How many bytes have come that were written after this time.
    fn bytes_after(&self, stamp: &[u8]) -> usize {
        let later = self.times.len() - self.times.partition_point(|other| other[..] <= *stamp);
        later * blocks::BLOCK_BYTES
    }
}

/// Follows lines among floods, and returns by how many bytes of flood one of them was overtaken at most.
async fn worst_of_lines(peer: &mut Peer, on_slow_client: &str) -> usize {
    peer.start(on_pipes("lines", ["stamped-lines", "30"])).await;
    for flood in FLOODS {
        let params = on_pipes(flood, ["stamped-flood"]);
        peer.start(with(params, json!({"onSlowClient": on_slow_client})))
            .await;
    }
    let mut floods: HashMap<String, Stamps> = HashMap::new();
    let mut lines = Stamps::default();
    let mut worst = 0;
    let (began, mut read) = (Instant::now(), 0);
    while lines.times.len() < LINES {
        let message = peer.next().await.expect("the server stays");
        let params = &message["params"];
        let id = params["processId"].as_str().expect("it is about a process");
        if let Some(gap) = params.get("gap") {
            let to = gap["toOffset"].as_u64().expect("a number");
            floods.entry(id.to_owned()).or_default().skip_to(to);
            continue;
        }
        let bytes = Blob::from_base64(params["chunk"].as_str().expect("it is output")).expect("it is base64");
        read += bytes.0.len() as u64;
        sleep_until(began + Duration::from_micros(read * 1_000_000 / BYTES_PER_SECOND)).await;
        if id != "lines" {
            floods
                .entry(id.to_owned())
                .or_default()
                .take(&bytes.0, blocks::BLOCK_BYTES);
            continue;
        }
        let seen = lines.times.len();
        lines.take(&bytes.0, clock::STAMP_BYTES);
        for stamp in &lines.times[seen..] {
            let overtaken_by = floods.values().map(|flood| flood.bytes_after(stamp)).sum();
            worst = worst.max(overtaken_by);
        }
    }
    for flood in FLOODS {
        let bytes = floods.get(flood).map_or(0, |flood| flood.bytes);
        assert!(bytes > 1 << 19, "flood {flood} has come to {bytes} bytes");
    }
    worst
}

/// Ends the processes; what they still say is none of the test's business.
async fn end(peer: &mut Peer) {
    for id in FLOODS.into_iter().chain(["lines"]) {
        peer.call("process/terminate", json!({"processId": id})).await;
    }
    for id in FLOODS.into_iter().chain(["lines"]) {
        let mut method = Value::Null;
        while method != "process/closed" {
            let what = format!("what is left of {id}");
            let mut message = peer
                .claim(&what, |message| message["params"]["processId"] == id)
                .await;
            method = message["method"].take();
        }
    }
}

on_every_wire! {
    async fn a_line_arrives_before_a_mebibyte_of_what_others_write_after_it(peer: &mut Peer) {
        let worst = within_patience("the lines", worst_of_lines(peer, "block")).await;
        assert!(worst <= MOST_BYTES, "{worst} bytes of flood have overtaken a line");
        end(peer).await;
    }

    async fn a_line_arrives_before_a_mebibyte_of_what_others_write_after_it_and_nobody_holds_up(peer: &mut Peer) {
        let worst = within_patience("the lines", worst_of_lines(peer, "skip")).await;
        assert!(worst <= MOST_BYTES, "{worst} bytes of flood have overtaken a line");
        end(peer).await;
    }
}
