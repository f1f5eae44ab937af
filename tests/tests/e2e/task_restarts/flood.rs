//! A task that writes much more than is kept costs what is kept, on disk and in memory.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use exec_protocol::process::EndReason;
use exec_protocol::task::{LogStopped, TaskRecord, TaskState};
use exec_tests::{Peer, TestServer, Wire, blocks, fixture};
use serde_json::json;

use super::{StateDir, becomes, output, submit};

/// What a task writes, in bytes: what a server that is not optimized takes in seconds.
const WRITTEN: u64 = 256 << 20;

/// What is kept of it, in bytes.
const LIMIT: u64 = 20 << 20;

/// What the server may write before it drops, and its index, in bytes.
const DISK_SLACK: u64 = 4 << 20;

/// By how much the server's memory may grow, in KiB: much less than is kept.
const MEMORY_KIB: u64 = 16 << 10;

/// What the files of a task's log take on disk, in bytes.
fn on_disk(state: &StateDir, task: &str) -> u64 {
    let length = |path| fs::metadata(path).map_or(0, |file| file.blocks() * 512);
    length(state.raw_log(task)) + length(state.index(task))
}

/// Runs a task that writes too much, and looks at what it costs meanwhile.
async fn run(state: &StateDir, server: &TestServer, peer: &mut Peer, on_limit: &str) -> TaskRecord {
    let process = server.process().expect("it runs on its own");
    let before = process.anonymous_kib();
    let argv = fixture::argv(["blocks", &WRITTEN.to_string()]);
    let params =
        json!({"taskId": on_limit, "argv": argv, "maxOutputBytes": LIMIT, "onOutputLimit": on_limit});
    submit(peer, params).await;
    let has_ended = |record: &TaskRecord| {
        let grown = process.anonymous_kib().saturating_sub(before);
        assert!(grown <= MEMORY_KIB, "{on_limit}: {grown} KiB more");
        let held = on_disk(state, on_limit);
        assert!(held <= LIMIT + DISK_SLACK, "{on_limit}: {held} bytes on disk");
        record.state.is_ended()
    };
    becomes(peer, on_limit, has_ended).await
}

/// What is kept is the right part of what was written.
async fn check(peer: &mut Peer, task: &str, record: &TaskRecord) {
    let log = &record.attempts[0].log;
    let (bytes, told) = output(peer, task, 1, log.first_offset).await;
    assert_eq!(bytes.len() as u64, log.end_offset - log.first_offset);
    blocks::check(log.first_offset, &bytes);
    assert_eq!(
        (told.total_bytes, &told.log),
        (record.attempts[0].bytes.stdout, log)
    );
}

#[tokio::test]
async fn whatever_is_to_happen_at_the_limit() {
    let state = StateDir::new();
    let server = state.server(Wire::Websocket).await;
    let mut peer = server.session().await;
    // What is allocated once is.
    submit(
        &mut peer,
        json!({"taskId": "first", "argv": fixture::argv(["blocks", "4000000"])}),
    )
    .await;
    super::ended(&mut peer, "first").await;

    let record = run(&state, &server, &mut peer, "kill").await;
    let attempt = &record.attempts[0];
    assert_eq!(
        (record.state, record.end_reason),
        (TaskState::Failed, Some(EndReason::OutputLimit))
    );
    assert_eq!((attempt.log.first_offset, attempt.log.end_offset), (0, LIMIT));
    assert_eq!(attempt.log.stopped, Some(LogStopped::OutputLimit));
    assert!((LIMIT..WRITTEN).contains(&attempt.bytes.stdout), "{attempt:?}");
    check(&mut peer, "kill", &record).await;

    let record = run(&state, &server, &mut peer, "stop").await;
    let attempt = &record.attempts[0];
    assert_eq!(
        (record.state, attempt.bytes.stdout),
        (TaskState::Completed, WRITTEN)
    );
    assert_eq!((attempt.log.first_offset, attempt.log.end_offset), (0, LIMIT));
    assert_eq!(attempt.log.stopped, Some(LogStopped::OutputLimit));
    check(&mut peer, "stop", &record).await;

    let record = run(&state, &server, &mut peer, "dropOldest").await;
    let attempt = &record.attempts[0];
    assert_eq!(
        (record.state, attempt.bytes.stdout),
        (TaskState::Completed, WRITTEN)
    );
    assert_eq!((attempt.log.end_offset, &attempt.log.stopped), (WRITTEN, &None));
    let kept = WRITTEN - attempt.log.first_offset;
    assert!((LIMIT / 2..=LIMIT).contains(&kept), "{attempt:?}");
    check(&mut peer, "dropOldest", &record).await;
    peer.finish().await;
    server.finish().await;
}
