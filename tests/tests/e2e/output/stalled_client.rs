//! A client that does not read holds up its own child, if anybody at all.

use exec_tests::os::OsProcess;
use exec_tests::wait::{promptly, until};
use exec_tests::{Event, Peer, TestServer, What, Wire, blocks, on_every_wire};
use serde_json::{Value, json};

use super::progress::Progress;
use super::{Marker, RETAINED};
use crate::commands::{on_pipes, with};
use crate::witness;

/// What the child writes, in bytes: several times what is held anywhere on the way to the client.
const FLOOD_BYTES: u64 = 20_000_000;

/// What its pipe holds, in bytes, and one read beyond what is retained, and one write that is not noted.
const AROUND_RETAINED: u64 = (256 << 10) + (64 << 10) + (4 << 10);

/// How much the server may grow meanwhile, in KiB.
const GROWTH_KIB: u64 = 8 << 10;

/// Most output that is on its way once the server has handed it over, in bytes.
fn in_transit(wire: Wire) -> u64 {
    match wire {
        // 64 messages of at most 64 KiB, and one that waits for room.
        Wire::Memory => 65 * (64 << 10),
        // A pipe that somebody may have enlarged, what the client has taken from it, and a batch.
        Wire::Stdio => (256 << 10) + (64 << 10) + (96 << 10),
        // What the kernel gives to a sender (tcp_wmem) and to a receiver who never read, and a batch.
        Wire::Websocket => (4 << 20) + (256 << 10) + (96 << 10),
    }
}

/// Memory of the server's own, in KiB, where it is a process of its own.
fn anonymous_kib(server: &TestServer) -> Option<u64> {
    server.process().map(OsProcess::anonymous_kib)
}

/// Others are served at once, on a connection of their own.
async fn others_do_not_notice(server: &TestServer) {
    if server.wire == Wire::Stdio {
        return;
    }
    let mut other = promptly("another session", server.session()).await;
    promptly("another's start", witness::start(&mut other)).await;
    promptly("another's answer and echo", witness::answers(&mut other, "hello")).await;
    witness::end(&mut other).await;
    other.finish().await;
}

/// A process that waits, and what to find it by from outside.
async fn start_sleeper(peer: &mut Peer) -> Marker {
    let marker = Marker::new();
    peer.start(marker.on(on_pipes("sleeper", ["never-read"]))).await;
    peer.output_until("sleeper", "ready").await;
    marker
}

/// Asks for the end of a process, without looking at any answer.
async fn request_end(peer: &mut Peer, process_id: &str) -> u64 {
    peer.request("process/terminate", json!({"processId": process_id}))
        .await
}

/// Checks that each byte that was told stands where it belongs, and counts those that were told or told to be lost.
fn assert_in_place(events: &[Event]) -> u64 {
    let mut offset = 0;
    for event in events {
        match &event.what {
            What::Output { bytes, .. } => {
                blocks::check(offset, bytes);
                offset += bytes.len() as u64;
            }
            What::Gap(gap) => {
                assert_eq!(gap.from_offset, offset);
                offset = gap.to_offset;
            }
            What::Exited { .. } | What::Closed => {}
        }
    }
    offset
}

on_every_wire! {
    async fn a_client_that_does_not_read_stops_its_own_child_and_loses_nothing(server: &TestServer) {
        let mut peer = server.session().await;
        let sleeper = start_sleeper(&mut peer).await;
        let before = anonymous_kib(server);
        let progress = Progress::new();
        peer.start(progress.of_blocks("p", FLOOD_BYTES)).await;
        // From here on nothing is read.
        let stopped_at = progress.standstill().await;
        let most = RETAINED + AROUND_RETAINED + in_transit(server.wire);
        assert!(stopped_at <= most, "{stopped_at} bytes were written for nobody, {most} at most can be held");

        others_do_not_notice(server).await;
        let ending = request_end(&mut peer, "sleeper").await;
        sleeper.ended().await;
        if let (Some(before), Some(now)) = (before, anonymous_kib(server)) {
            assert!(now <= before + GROWTH_KIB, "from {before} to {now} KiB");
        }
        assert!(progress.written() <= most, "{} bytes were written", progress.written());

        let transcript = peer.output_until_closed("p").await;
        assert_eq!(assert_in_place(&transcript.events), FLOOD_BYTES);
        assert_eq!((transcript.stdout.len() as u64, transcript.exit_code), (FLOOD_BYTES, Some(0)));
        assert_eq!(peer.response(ending).await.unwrap()["running"], true);
        assert_eq!(peer.output_until_closed("sleeper").await.exit_code, Some(143));
        peer.finish().await;
    }

    async fn a_child_that_is_not_to_be_stopped_runs_to_its_end_and_the_gap_is_told(server: &TestServer) {
        let mut peer = server.session().await;
        let sleeper = start_sleeper(&mut peer).await;
        let before = anonymous_kib(server);
        let progress = Progress::new();
        peer.expect_gaps("p");
        peer.start(with(progress.of_blocks("p", FLOOD_BYTES), json!({"onSlowClient": "skip"}))).await;
        progress.reaped().await;
        assert_eq!(progress.written(), FLOOD_BYTES);

        others_do_not_notice(server).await;
        let ending = request_end(&mut peer, "sleeper").await;
        sleeper.ended().await;
        if let (Some(before), Some(now)) = (before, anonymous_kib(server)) {
            assert!(now <= before + GROWTH_KIB, "from {before} to {now} KiB");
        }

        let transcript = peer.output_until_closed("p").await;
        assert_eq!(assert_in_place(&transcript.events), FLOOD_BYTES);
        assert_eq!((transcript.offset, transcript.exit_code), (FLOOD_BYTES, Some(0)));
        let [gap] = transcript.gaps()[..] else {
            panic!("not one gap: {:?}", transcript.gaps());
        };
        assert_eq!(transcript.stdout.len() as u64 + gap.bytes, FLOOD_BYTES);
        let held = RETAINED + in_transit(server.wire) + (64 << 10);
        assert!(gap.bytes >= FLOOD_BYTES - held, "more is held than there is room for: {gap:?}");
        assert_eq!(peer.response(ending).await.unwrap()["running"], true);
        assert_eq!(peer.output_until_closed("sleeper").await.exit_code, Some(143));
        peer.finish().await;
    }

    async fn a_blocked_child_of_a_client_that_does_not_read_can_be_terminated(server: &TestServer) {
        let mut peer = server.session().await;
        let (progress, marker) = (Progress::new(), Marker::new());
        peer.start(marker.on(progress.of_blocks("p", FLOOD_BYTES))).await;
        let stopped_at = progress.standstill().await;
        assert!(stopped_at < FLOOD_BYTES, "it was not blocked");
        let ending = request_end(&mut peer, "p").await;
        marker.ended().await;
        let written = progress.written();
        let transcript = peer.output_until_closed("p").await;
        assert_eq!(transcript.exit_code, Some(143));
        let told = assert_in_place(&transcript.events);
        let block = blocks::BLOCK_BYTES as u64;
        assert!((written..=written + block).contains(&told), "{written} bytes were written, {told} told");
        assert_eq!(peer.response(ending).await.unwrap()["running"], true);
        peer.finish().await;
    }

    async fn a_client_that_does_not_read_its_notifications_has_all_else_done(server: &TestServer) {
        let mut peer = server.session().await;
        let progress = Progress::new();
        peer.start(progress.of_blocks("p", FLOOD_BYTES)).await;
        progress.standstill().await;
        // One that is started, written to and ended while no answer is looked at.
        let (echo, marker) = (Progress::new(), Marker::new());
        let start = peer.request("process/start", marker.on(echo.of_blocks("q", 100_000))).await;
        until("it has been started and has written", || echo.written() == 100_000).await;
        marker.ended().await;
        // That it is gone is seen here before it is seen by the server.
        let until_exited = json!({"processIds": ["q"], "until": {"kind": "exited"}, "waitMs": 60_000});
        let exit = peer.request("process/wait", until_exited).await;
        let transcript = peer.output_until_closed("p").await;
        assert_eq!(assert_in_place(&transcript.events), FLOOD_BYTES);
        assert_eq!(peer.response(start).await.map(|_| Value::Null), Ok(Value::Null));
        let exit = peer.response(exit).await.expect("it can be waited for");
        assert_eq!(exit["fired"][0]["kind"], "exited");
        let state = peer.call("process/read", json!({"processId": "q", "maxBytes": 0})).await;
        assert_eq!((&state["exited"], &state["endOffset"]), (&json!(true), &json!(100_000)));
        assert_eq!(assert_in_place(&peer.output_until_closed("q").await.events), 100_000);
        peer.finish().await;
    }
}
