//! What is known of a process, while it runs and when it has ended.

mod fields;
mod life;
mod list;
mod told;

use std::time::{SystemTime, UNIX_EPOCH};

use exec_protocol::ProcessId;
use exec_protocol::Seq;
use exec_protocol::process::{Get, GetParams, ProcessRecord, Read, ReadParams, ReadResult, Target};
use exec_tests::Peer;

/// Everything there is to say of a process, by the client's name for it.
pub(crate) async fn record(peer: &mut Peer, name: &str) -> ProcessRecord {
    record_of(peer, ProcessId::new(name).expect("a short name")).await
}

/// Everything there is to say of a process, by either of its names.
pub(crate) async fn record_of(peer: &mut Peer, process: impl Into<Target>) -> ProcessRecord {
    let process = process.into();
    peer.call_typed::<Get>(&GetParams { process }).await
}

/// All of a process that is kept, and its state.
pub(crate) async fn read(peer: &mut Peer, name: &str) -> ReadResult {
    let process_id = ProcessId::new(name).expect("a short name");
    peer.call_typed::<Read>(&ReadParams::after_seq(process_id, Seq(0)))
        .await
}

/// The time of day, in milliseconds.
pub(crate) fn now_ms() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("the clock is set");
    u64::try_from(now.as_millis()).expect("it fits for a while")
}
