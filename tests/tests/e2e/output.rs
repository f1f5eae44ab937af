//! What becomes of output on its way: its offsets, what is kept of it, and what a slow client does to it.

mod acks;
mod cursors;
mod fairness;
mod gaps;
mod levels;
mod long_polls;
mod memory_cap;
mod overtaking;
mod paging;
pub(crate) mod progress;
mod retain_bytes;
mod single_bytes;
mod stalled_client;

use std::time::Duration;

use exec_protocol::process::{Read, ReadParams, ReadResult};
use exec_protocol::{Blob, ProcessId, Seq};
use exec_tests::os::OsProcess;
use exec_tests::wait::{until, within_patience};
use exec_tests::{Marker, Peer};
use tokio::time::sleep;

/// How long a read waits that is to be woken, in milliseconds.
const LONG_MS: u64 = 60_000;

/// Between two looks at a state that nobody tells.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// What is kept of a process's output by default, in bytes.
const RETAINED: u64 = 1 << 20;

/// A read behind this offset.
fn after_offset(process_id: &str, offset: u64) -> ReadParams {
    ReadParams {
        after_seq: None,
        after_offset: Some(offset),
        ..after_seq(process_id, 0)
    }
}

/// A read behind this number.
fn after_seq(process_id: &str, seq: u64) -> ReadParams {
    let process_id = ProcessId::new(process_id).expect("a short name");
    ReadParams::after_seq(process_id, Seq(seq))
}

/// A look at the state, which says nothing about what the client has.
fn state(process_id: &str) -> ReadParams {
    ReadParams {
        max_bytes: Some(0),
        peek: true,
        ..after_offset(process_id, 0)
    }
}

async fn read(peer: &mut Peer, params: ReadParams) -> ReadResult {
    peer.call_typed::<Read>(&params).await
}

/// The bytes of an answer, whose chunks must follow each other.
fn bytes(answer: &ReadResult) -> Vec<u8> {
    let mut all = Vec::new();
    let first = answer.chunks.first().map(|chunk| chunk.offset);
    for chunk in &answer.chunks {
        let Blob(bytes) = &chunk.chunk;
        let before = first.flatten().expect("a chunk has an offset");
        assert_eq!(
            chunk.offset,
            Some(before + all.len() as u64),
            "a hole between chunks"
        );
        all.extend_from_slice(bytes);
    }
    all
}

/// Waits until no output will follow, without reading any, and returns the state then.
///
/// It looks now and then: to be woken by each byte would slow down both sides of what is tested.
async fn closed(peer: &mut Peer, process_id: &str) -> ReadResult {
    let looking = async {
        loop {
            let answer = read(peer, state(process_id)).await;
            if answer.closed {
                return answer;
            }
            sleep(BETWEEN_LOOKS).await;
        }
    };
    within_patience("the close", looking).await
}

/// Everything behind this offset that is kept, from page to page: where it begins, and what it is.
async fn kept(peer: &mut Peer, process_id: &str, offset: u64) -> (u64, Vec<u8>) {
    let mut page = read(peer, after_offset(process_id, offset)).await;
    let begin = page.gap.map_or(offset, |gap| gap.to_offset);
    let mut all = Vec::new();
    while !page.chunks.is_empty() {
        all.extend(bytes(&page));
        let next = page.next_offset.expect("it is told");
        assert_eq!(next, begin + all.len() as u64);
        page = read(peer, after_offset(process_id, next)).await;
        assert_eq!(page.gap, None, "a gap behind what was read");
    }
    (begin, all)
}

/// Waits until nothing is left of the leader of this pid. The server lets go of it when no output will follow.
async fn reaped(pid: u32) {
    if let Some(leader) = OsProcess::with_pid(pid) {
        until("the leader is reaped", || !leader.exists()).await;
    }
}
