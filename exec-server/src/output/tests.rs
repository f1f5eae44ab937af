//! What takes a ring of a kind that no process makes quickly, or an order that no connection can force.

use std::sync::Arc;
use std::time::Duration;

use exec_protocol::initialize::Notifications;
use exec_protocol::process::{OnSlowClient, Stream};
use exec_protocol::{ProcessId, Seq};
use loom::future::block_on;
use pty_utils::Read;

use super::*;
use crate::limits::MAX_READ_REPLY_BYTES;
use crate::rpc::{Due, Pace};

const ALL: ReadRequest = ReadRequest {
    after_seq: Some(Seq::ZERO),
    after_offset: None,
    max_bytes: usize::MAX,
    wait: Duration::ZERO,
    is_peek: true,
    is_own: true,
};

fn log(retain_bytes: usize) -> Arc<OutputLog> {
    let id = ProcessId::new("p").unwrap();
    let on_slow_client = Some(OnSlowClient::Block);
    Arc::new(OutputLog::new(&id, retain_bytes, on_slow_client))
}

fn length_of_answer(log: &OutputLog, request: ReadRequest) -> usize {
    let mut out = Vec::new();
    block_on(log.read(request, &mut out)).unwrap();
    out.len()
}

#[test]
fn no_answer_is_longer_than_a_message_however_small_the_chunks() {
    loom::model(|| {
        let log = log(64 << 20);
        log.change(Tells::Output, |state| {
            for _ in 0..300_000 {
                state.ring.push(Stream::Stdout, b"a");
                state.ring.push(Stream::Stderr, b"b");
            }
        });
        let by_offset = ReadRequest {
            after_seq: None,
            after_offset: Some(0),
            ..ALL
        };
        for request in [ALL, by_offset] {
            let length = length_of_answer(&log, request);
            assert!(length > MAX_READ_REPLY_BYTES / 2, "{length}: too little to tell");
            assert!(length <= MAX_READ_REPLY_BYTES + 1000, "{length}");
        }
    });
}

#[test]
fn what_was_read_ahead_and_acknowledged_makes_room_as_soon_as_it_is_told() {
    loom::model(|| {
        let log = log(MIN_CAPACITY);
        let outbox = Arc::new(Outbox::default());
        log.subscribe(Arc::clone(&outbox), Notifications::All);
        log.ack(Seq::ZERO);
        let bytes = 2 * MIN_CAPACITY;
        log.push_read(Stream::Stdout, bytes, |_| Ok(Read::Bytes(bytes)))
            .unwrap();
        length_of_answer(&log, ALL);
        log.ack(Seq(u64::MAX));
        assert!(!log.has_room(), "nothing of it was told");
        while let Due::Write = outbox.fill(&mut Batch::default(), Pace::Free) {}
        assert!(log.has_room());
    });
}

#[test]
fn what_is_refused_acknowledges_nothing() {
    loom::model(|| {
        let log = log(MIN_CAPACITY);
        log.subscribe(Arc::new(Outbox::default()), Notifications::None);
        let bytes = 2 * MIN_CAPACITY;
        log.push_read(Stream::Stdout, bytes, |_| Ok(Read::Bytes(bytes)))
            .unwrap();
        let ahead = [(Some(Seq(1 << 40)), None), (None, Some(1 << 40))];
        for (after_seq, after_offset) in ahead {
            let request = ReadRequest {
                after_seq,
                after_offset,
                is_peek: false,
                is_own: true,
                ..ALL
            };
            assert!(block_on(log.read(request, &mut Vec::new())).is_err());
        }
        // Nor does what was never told.
        log.ack(Seq(1 << 40));
        assert!(!log.has_room());
        assert_eq!(log.lock().ring.first(), (Seq(1), 0));
    });
}
