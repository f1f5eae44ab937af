//! What a client is told without asking, and what reads acknowledge where it is told of no output.

use exec_protocol::Seq;
use exec_protocol::initialize::Notifications;
use exec_protocol::process::ReadParams;
use exec_tests::{Peer, TestServer, blocks, on_every_wire};
use serde_json::json;

use super::progress::Progress;
use super::{LONG_MS, RETAINED, after_offset, after_seq, bytes, closed, kept, read};
use crate::commands::{on_pipes, with};

/// What a child writes for which nothing may get lost, in bytes.
const FLOOD_BYTES: u64 = 30_000_000;

/// What a child may have written beyond what is retained, in bytes: its pipe, one read, and a write that is not noted.
const BEYOND_RETAINED: u64 = (256 << 10) + (64 << 10) + (4 << 10);

/// Reads everything by long polls behind the last number, and checks each byte.
async fn read_all(peer: &mut Peer, process_id: &str, total: u64) {
    let (mut seq, mut offset) = (Seq(0), 0);
    loop {
        let poll = ReadParams {
            wait_ms: LONG_MS,
            ..after_seq(process_id, seq.0)
        };
        let answer = read(peer, poll).await;
        assert_eq!(answer.gap, None);
        let bytes = bytes(&answer);
        blocks::check(offset, &bytes);
        for chunk in &answer.chunks {
            assert_eq!(chunk.seq, seq.next(), "a hole");
            seq = chunk.seq;
        }
        offset += bytes.len() as u64;
        if answer.closed && bytes.is_empty() {
            assert_eq!((answer.exit_code, offset), (Some(0), total));
            return;
        }
        seq = Seq(answer.next_seq.0 - 1);
    }
}

on_every_wire! {
    async fn what_blocks_loses_nothing_to_long_polls(server: &TestServer) {
        let mut peer = server.session_to_be_told(Notifications::None).await;
        let params = on_pipes("p", ["blocks", &FLOOD_BYTES.to_string()]);
        peer.start(with(params, json!({"onSlowClient": "block"}))).await;
        read_all(&mut peer, "p", FLOOD_BYTES).await;
        peer.finish().await;
    }

    async fn a_read_acknowledges_what_lies_before_its_cursor_and_a_look_nothing(server: &TestServer) {
        let mut peer = server.session_to_be_told(Notifications::Lifecycle).await;
        let progress = Progress::new();
        peer.start(with(progress.of_blocks("p", FLOOD_BYTES), json!({"onSlowClient": "block"}))).await;
        let stopped_at = progress.standstill().await;
        assert!((RETAINED..=RETAINED + BEYOND_RETAINED).contains(&stopped_at), "{stopped_at}");

        // Looks, to the end of what there is and from there.
        let mut end = 0;
        loop {
            let look = ReadParams { peek: true, ..after_offset("p", end) };
            let look = read(&mut peer, look).await;
            assert_eq!(look.gap, None);
            blocks::check(end, &bytes(&look));
            let next = look.next_offset.unwrap();
            if next == end {
                break;
            }
            end = next;
        }
        assert!(end > RETAINED, "the child is stopped by {end} bytes");
        // A read from the beginning has nothing before its cursor.
        assert_eq!(bytes(&read(&mut peer, after_offset("p", 0)).await)[..16], blocks::block(0)[..16]);
        assert_eq!(progress.standstill().await, stopped_at, "a look has let it go on");

        // Who asks for what follows has the rest.
        let state = read(&mut peer, ReadParams { max_bytes: Some(0), ..after_offset("p", end) }).await;
        assert_eq!(state.gap, None);
        progress.beyond(stopped_at).await;
        let stopped_at = progress.standstill().await;
        let most = end + RETAINED + BEYOND_RETAINED;
        assert!((end + RETAINED..=most).contains(&stopped_at), "at {stopped_at} behind {end}");
        let next = read(&mut peer, after_offset("p", end)).await;
        assert_eq!(next.gap, None);
        blocks::check(end, &bytes(&next));

        // A number does as well. The last chunk may be a part of one.
        let whole = &next.chunks[next.chunks.len() - 2];
        let end = whole.offset.unwrap() + whole.chunk.0.len() as u64;
        let state = read(&mut peer, ReadParams { max_bytes: Some(0), ..after_seq("p", whole.seq.0) }).await;
        assert_eq!((state.gap, state.next_offset), (None, Some(end)));
        progress.beyond(stopped_at).await;

        peer.call("process/terminate", json!({"processId": "p"})).await;
        let mut offset = end;
        loop {
            let answer = read(&mut peer, ReadParams { wait_ms: LONG_MS, ..after_offset("p", offset) }).await;
            assert_eq!(answer.gap, None);
            blocks::check(offset, &bytes(&answer));
            offset += bytes(&answer).len() as u64;
            if answer.closed && answer.chunks.is_empty() {
                break;
            }
        }
        let block = blocks::BLOCK_BYTES as u64;
        assert!((progress.written()..=progress.written() + block).contains(&offset), "{offset} bytes were read");
        peer.notified("process/exited", "p").await;
        peer.notified("process/closed", "p").await;
        peer.finish().await;
    }

    async fn the_end_of_what_is_held_up_needs_no_room(server: &TestServer) {
        let mut peer = server.session_to_be_told(Notifications::Lifecycle).await;
        let progress = Progress::new();
        peer.start(with(progress.of_blocks("p", FLOOD_BYTES), json!({"onSlowClient": "block"}))).await;
        progress.standstill().await;
        peer.call("process/terminate", json!({"processId": "p"})).await;
        peer.notified("process/exited", "p").await;
        peer.notified("process/closed", "p").await;
        // Nothing was dropped for it.
        let all = read(&mut peer, after_offset("p", 0)).await;
        assert_eq!((all.gap, all.closed), (None, true));
        peer.finish().await;
    }

    async fn packets_in_a_pipe_are_all_told_while_their_writer_lives(server: &TestServer) {
        let mut peer = server.session().await;
        peer.start(on_pipes("p", ["packets", "100"])).await;
        peer.output_until("p", "99\n").await;
        peer.terminate("p").await;
        peer.finish().await;
    }

    async fn who_wants_to_be_told_of_the_end_only_is_told_of_the_end_only(server: &TestServer) {
        let mut peer = server.session_to_be_told(Notifications::Lifecycle).await;
        let progress = Progress::new();
        // Nobody reads, and it is not held up.
        peer.start(progress.of_blocks("p", FLOOD_BYTES)).await;
        let exited = peer.notified("process/exited", "p").await;
        assert_eq!((&exited["exitCode"], progress.written()), (&json!(0), FLOOD_BYTES));
        let close = peer.notified("process/closed", "p").await;
        let exit_seq = exited["seq"].as_u64().unwrap();
        assert_eq!(close["seq"], exit_seq + 1);
        let state = closed(&mut peer, "p").await;
        assert!(state.first_seq.unwrap().0 < exit_seq, "{state:?}");
        assert_eq!(state.end_offset, Some(FLOOD_BYTES));
        let (begin, rest) = kept(&mut peer, "p", 0).await;
        assert!(begin > 0, "{} bytes are kept", rest.len());
        blocks::check(begin, &rest);
        assert_eq!(begin + rest.len() as u64, FLOOD_BYTES);
        // One that says nothing at all, and one on a terminal.
        peer.start(on_pipes("quiet", ["exit", "3"])).await;
        peer.start(crate::commands::on_terminal("terminal", ["emit", "1000"])).await;
        for (id, code) in [("quiet", 3), ("terminal", 0)] {
            assert_eq!(peer.notified("process/exited", id).await["exitCode"], code);
            peer.notified("process/closed", id).await;
        }
        // That nothing else came is checked here.
        peer.finish().await;
    }

    async fn who_wants_to_be_told_of_nothing_is_told_of_nothing(server: &TestServer) {
        let mut peer = server.session_to_be_told(Notifications::None).await;
        let progress = Progress::new();
        peer.start(progress.of_blocks("p", FLOOD_BYTES)).await;
        let state = closed(&mut peer, "p").await;
        assert_eq!((state.exit_code, state.end_offset), (Some(0), Some(FLOOD_BYTES)));
        assert_eq!(progress.written(), FLOOD_BYTES);
        let answer = read(&mut peer, after_offset("p", 0)).await;
        assert_eq!(answer.gap.map(|gap| gap.to_offset), answer.first_offset);
        peer.finish().await;
    }

    async fn a_level_that_nobody_knows_is_refused(server: &TestServer) {
        let mut peer = server.connect().await;
        for level in [json!("some"), json!("All"), json!(true), json!([])] {
            let error = peer.refused("initialize", json!({"clientName": "t", "notifications": level})).await;
            let found = (error.code, error.data.kind.as_str(), error.data.field.as_deref());
            assert_eq!(found, (-32602, "invalidParams", Some("notifications")), "{level}");
        }
        // None at all, and null, are the default.
        peer.call("initialize", json!({"clientName": "t", "notifications": null})).await;
        peer.notify("initialized", json!({})).await;
        assert_eq!(peer.run(on_pipes("p", ["emit", "100"])).await.stdout.len(), 100);
        peer.finish().await;
    }
}
