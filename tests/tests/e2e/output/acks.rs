//! `process/ack`: what a client has not acknowledged is kept for it.

use exec_client::Transport;
use exec_protocol::SessionId;
use exec_protocol::process::ReadParams;
use exec_tests::proxy::Proxy;
use exec_tests::wait::within_patience;
use exec_tests::{Peer, TestServer, Wire, blocks, on_every_wire, on_wires};
use serde_json::{Value, json};

use super::progress::Progress;
use super::{LONG_MS, Marker, RETAINED, after_seq, bytes, kept, read, state};
use crate::commands::{on_pipes, with};

/// What a child writes, in bytes: several times what is retained.
const FLOOD_BYTES: u64 = 8_000_000;

/// What a child may have written beyond what is retained, in bytes: its pipe, one read, and a write that is not noted.
const BEYOND_RETAINED: u64 = (256 << 10) + (64 << 10) + (4 << 10);

/// How much of what is retained is dropped at a time, in bytes.
const SEGMENT_BYTES: u64 = RETAINED / 16;

/// What is retained where more than that is on its way, in bytes.
const RETAINED_LONG: u64 = 8 << 20;

/// What is on its way to a client when its connection breaks, in bytes.
const IN_FLIGHT: u64 = 64 << 20;

/// What is told and acknowledged before that, in bytes.
const FIRST_BYTES: u64 = 2_000_000;

async fn ack(peer: &mut Peer, seq: u64) {
    peer.notify("process/ack", json!({"processId": "p", "seq": seq}))
        .await;
}

/// Takes what is told until the child is stopped, behind so many acknowledged bytes, for want of an acknowledgement.
/// What is acknowledged makes room by whole segments.
async fn take_until_stopped(peer: &mut Peer, progress: &Progress, acked: u64) {
    while peer.transcript("p").offset < acked + RETAINED - SEGMENT_BYTES {
        peer.event("p").await;
    }
    let stopped_at = progress.standstill().await;
    let most = acked + RETAINED + BEYOND_RETAINED;
    assert!(
        stopped_at <= most,
        "{stopped_at} bytes were written and {acked} acknowledged"
    );
    // All that was read of it is told.
    let end = read(peer, state("p")).await.end_offset;
    while peer.transcript("p").offset < end.expect("it is told") {
        peer.event("p").await;
    }
}

/// Takes what is told to the end, and acknowledges all of it.
async fn take_the_rest(peer: &mut Peer, total: u64) {
    while !peer.transcript("p").is_closed {
        let seq = peer.transcript("p").last_seq;
        ack(peer, seq).await;
        peer.event("p").await;
    }
    let transcript = peer.output_until_closed("p").await;
    assert_eq!(
        (transcript.stdout.len() as u64, transcript.exit_code),
        (total, Some(0))
    );
    blocks::check(0, &transcript.stdout);
}

on_every_wire! {
    async fn a_child_stops_when_too_much_is_not_acknowledged_and_goes_on_when_it_is(peer: &mut Peer) {
        let progress = Progress::new();
        // Right behind the start, before its answer.
        let starting = peer.request("process/start", progress.of_blocks("p", FLOOD_BYTES)).await;
        ack(peer, 0).await;
        peer.response(starting).await.expect("it is started");
        let mut acked = 0;
        for _ in 0..3 {
            take_until_stopped(peer, &progress, acked).await;
            let told = peer.transcript("p");
            let seq = told.last_seq;
            acked = told.offset;
            ack(peer, seq).await;
        }
        take_the_rest(peer, FLOOD_BYTES).await;
    }

    async fn an_acknowledgement_of_a_part_makes_room_for_that_part(peer: &mut Peer) {
        let progress = Progress::new();
        let starting = peer.request("process/start", progress.of_blocks("p", FLOOD_BYTES)).await;
        ack(peer, 0).await;
        peer.response(starting).await.expect("it is started");
        take_until_stopped(peer, &progress, 0).await;
        // The first half of what was told.
        let told = peer.transcript("p");
        let (mut seq, mut acked) = (0, 0);
        for event in &told.events {
            if let exec_tests::What::Output { bytes, .. } = &event.what && acked < told.offset / 2 {
                (seq, acked) = (event.seq, acked + bytes.len() as u64);
            }
        }
        ack(peer, seq).await;
        take_until_stopped(peer, &progress, acked).await;
        take_the_rest(peer, FLOOD_BYTES).await;
    }

    async fn an_acknowledgement_never_goes_back_and_never_ahead_of_what_was_told(peer: &mut Peer) {
        let progress = Progress::new();
        let starting = peer.request("process/start", progress.of_blocks("p", FLOOD_BYTES)).await;
        ack(peer, 0).await;
        peer.response(starting).await.expect("it is started");
        take_until_stopped(peer, &progress, 0).await;
        // All that was told, and no more than that.
        let told = peer.transcript("p").offset;
        ack(peer, u64::MAX).await;
        take_until_stopped(peer, &progress, told).await;
        let stopped_at = progress.written();
        for seq in [0, 1, 5] {
            ack(peer, seq).await;
        }
        let before = peer.transcript("p").last_seq;
        // What comes is what was read from the pipe before the child stopped.
        ack(peer, before).await;
        progress.beyond(stopped_at).await;
        take_the_rest(peer, FLOOD_BYTES).await;
    }

    async fn an_acknowledgement_of_what_was_not_told_yet_loses_none_of_it(peer: &mut Peer) {
        let progress = Progress::new();
        // More than is on its way to a client that does not read.
        let params = with(progress.of_blocks("p", 4 * RETAINED_LONG), json!({"retainBytes": RETAINED_LONG}));
        let starting = peer.request("process/start", params).await;
        ack(peer, 0).await;
        peer.response(starting).await.expect("it is started");
        let stopped_at = progress.standstill().await;
        assert!(stopped_at < 2 * RETAINED_LONG, "{stopped_at} bytes were written, and none acknowledged");
        ack(peer, u64::MAX).await;
        progress.standstill().await;
        // That no gap comes is checked event by event.
        take_the_rest(peer, 4 * RETAINED_LONG).await;
    }

    async fn acknowledgements_that_make_no_sense_cost_nothing(peer: &mut Peer) {
        let progress = Progress::new();
        peer.start(progress.of_blocks("p", FLOOD_BYTES)).await;
        for params in [
            json!({"processId": "nobody", "seq": 1}),
            json!({"processId": "p"}),
            json!({"seq": 1}),
            json!({"processId": "p", "seq": -1}),
            json!({"processId": "p", "seq": "1"}),
            json!({"processId": "p", "seq": 1.5}),
            json!({"processId": 5, "seq": 1}),
            json!({"processId": "p", "seq": null}),
            json!(["p", 1]),
            json!([]),
            Value::Null,
        ] {
            peer.notify("process/ack", params).await;
        }
        peer.send_text(r#"{"jsonrpc":"2.0","method":"process/ack"}"#).await;
        // None of them was one: nothing has to be acknowledged, and nobody has got an answer.
        let transcript = peer.output_until_closed("p").await;
        assert_eq!((transcript.stdout.len() as u64, transcript.exit_code), (FLOOD_BYTES, Some(0)));
        // Nor is one that comes too late.
        ack(peer, 1).await;
        ack(peer, u64::MAX).await;
        let (begin, rest) = kept(peer, "p", 0).await;
        assert_eq!(begin + rest.len() as u64, FLOOD_BYTES);
    }

    async fn as_a_request_an_acknowledgement_is_no_method(peer: &mut Peer) {
        let error = peer.refused("process/ack", json!({"processId": "p", "seq": 1})).await;
        assert_eq!((error.code, error.data.kind.as_str()), (-32601, "methodNotFound"));
    }

    async fn who_wants_no_block_is_not_stopped_by_what_is_not_acknowledged(peer: &mut Peer) {
        let params = on_pipes("p", ["blocks", &FLOOD_BYTES.to_string()]);
        peer.expect_gaps("p");
        let starting = peer.request("process/start", with(params, json!({"onSlowClient": "skip"}))).await;
        ack(peer, 0).await;
        peer.response(starting).await.expect("it is started");
        let transcript = peer.output_until_closed("p").await;
        assert_eq!((transcript.offset, transcript.exit_code), (FLOOD_BYTES, Some(0)));
    }
}

/// A connection that can be cut hard, and the session on it.
async fn open(server: &TestServer) -> (Peer, SessionId, Option<Proxy>) {
    let (mut peer, proxy) = match server.wire {
        Wire::Websocket => {
            let proxy = Proxy::start(server.url(), Vec::new()).await;
            let transport = within_patience("a connection", Transport::websocket(proxy.url())).await;
            (Peer::new(transport.expect("the proxy listens")), Some(proxy))
        }
        Wire::Memory | Wire::Stdio => (server.connect().await, None),
    };
    let session_id = peer.handshake().await.session_id;
    (peer, session_id, proxy)
}

on_wires! {
    [memory, websocket]
    async fn a_connection_that_breaks_with_64_mib_in_flight_loses_nothing_that_was_not_acknowledged(server: &TestServer) {
        let (mut peer, session_id, proxy) = open(server).await;
        let (progress, marker) = (Progress::new(), Marker::new());
        // All that will not be acknowledged has room; with no room the child would drop some while nobody is there.
        let params = marker.on(progress.of_blocks("p", FIRST_BYTES + IN_FLIGHT));
        let params = with(params, json!({"retainBytes": IN_FLIGHT + (1 << 20)}));
        let starting = peer.request("process/start", params).await;
        ack(&mut peer, 0).await;
        peer.response(starting).await.expect("it is started");
        // The acknowledgements lag behind: one for the beginning of what comes, and then no more.
        while peer.transcript("p").offset < FIRST_BYTES {
            peer.event("p").await;
        }
        let (acked_seq, acked) = (peer.transcript("p").last_seq, peer.transcript("p").offset);
        ack(&mut peer, acked_seq).await;
        while peer.transcript("p").offset < IN_FLIGHT / 3 {
            peer.event("p").await;
        }
        blocks::check(0, &peer.transcript("p").stdout);
        // A third was told, and the rest is somewhere on its way.
        marker.ended().await;
        if let Some(proxy) = proxy {
            proxy.cut();
        }
        peer.hang_up();

        let mut peer = server.connect().await;
        peer.resume(&session_id).await;
        let (mut seq, mut offset) = (acked_seq, acked);
        loop {
            let poll = ReadParams { wait_ms: LONG_MS, max_bytes: Some(4 << 20), ..after_seq("p", seq) };
            let page = read(&mut peer, poll).await;
            assert_eq!(page.gap, None, "something is lost behind {acked}");
            for chunk in &page.chunks {
                assert_eq!((chunk.seq.0, chunk.offset), (seq + 1, Some(offset)), "a hole");
                (seq, offset) = (chunk.seq.0, offset + chunk.chunk.0.len() as u64);
            }
            let bytes = bytes(&page);
            blocks::check(offset - bytes.len() as u64, &bytes);
            if page.closed && bytes.is_empty() {
                break;
            }
            seq = page.next_seq.0 - 1;
        }
        assert_eq!(offset, FIRST_BYTES + IN_FLIGHT);
        // What was told of since, if anything, is in it.
        peer.hang_up();
    }
}
