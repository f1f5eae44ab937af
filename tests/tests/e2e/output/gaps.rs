//! Loss is never silent, and exact to the byte.

use std::fs;

use exec_protocol::Seq;
use exec_protocol::initialize::Notifications;
use exec_protocol::process::{Gap, ReadParams};
use exec_tests::wait::until;
use exec_tests::{Peer, TestServer, What, blocks, fixture, on_every_wire};
use serde_json::json;

use super::progress::Progress;
use super::{LONG_MS, RETAINED, after_offset, after_seq, bytes, closed, kept, read, reaped, state};
use crate::commands::{on_pipes, with};

/// What a process says of which most is lost, in bytes.
const FLOOD_BYTES: u64 = 20_000_000;

/// What is said before that and can be read in time, in bytes: three blocks.
const PRELUDE_BYTES: u64 = 12_288;

/// Says the prelude, and the flood when the file `$1` is there.
const PRELUDE_AND_FLOOD: &str =
    r#""$0" blocks "$2"; until [ -e "$1" ]; do sleep 0.01; done; exec "$0" blocks "$3""#;

/// Floods, exits, and leaves somebody behind who floods as well. Nobody knows how they share the pipe, so it is
/// zeros all the time. The file `$1` gets its pid.
const FLOOD_AROUND_EXIT: &str = r#"echo $$ >"$1"; head -c "$0" /dev/zero; head -c "$0" /dev/zero & exit 7"#;

/// Checks that what is kept is as much as it should be, and the end of the flood.
fn assert_kept(begin: u64, kept: &[u8]) {
    assert_eq!(
        begin + kept.len() as u64,
        FLOOD_BYTES,
        "gap and bytes are not all there was"
    );
    blocks::check(begin, kept);
    let segment = RETAINED / 16;
    let length = kept.len() as u64;
    assert!(
        (RETAINED - segment..=RETAINED + segment).contains(&length),
        "{length} bytes are kept"
    );
}

fn gap(from: (u64, u64), to: (u64, u64)) -> Gap {
    Gap::new(Seq(from.0), Seq(to.0), from.1, to.1)
}

on_every_wire! {
    async fn what_nobody_read_is_a_gap_that_is_exact_to_the_byte(server: &TestServer) {
        let mut peer = server.session_to_be_told(Notifications::None).await;
        peer.start(on_pipes("p", ["blocks", &FLOOD_BYTES.to_string()])).await;
        let state = closed(&mut peer, "p").await;
        let (first_seq, first_offset) = (state.first_seq.unwrap().0, state.first_offset.unwrap());
        assert_eq!((state.exit_code, state.end_offset), (Some(0), Some(FLOOD_BYTES)));

        // From the beginning, by either cursor.
        let all_lost = gap((1, 0), (first_seq - 1, first_offset));
        for params in [after_offset("p", 0), after_seq("p", 0)] {
            let answer = read(&mut peer, params).await;
            assert_eq!(answer.gap, Some(all_lost));
            assert_eq!((answer.chunks[0].seq.0, answer.chunks[0].offset), (first_seq, Some(first_offset)));
        }
        let (begin, rest) = kept(&mut peer, "p", 0).await;
        assert_eq!(begin, all_lost.bytes);
        assert_kept(begin, &rest);

        // From the middle of what is lost, and from its very end.
        for offset in [1, 12_345_678, first_offset - 1] {
            let answer = read(&mut peer, after_offset("p", offset)).await;
            let gap = answer.gap.expect("it is lost");
            assert_eq!((gap.from_offset, gap.to_offset, gap.bytes), (offset, first_offset, first_offset - offset));
            assert!((1..first_seq).contains(&gap.from_seq.0) && gap.to_seq.0 == first_seq - 1, "{gap:?}");
            assert_eq!(bytes(&answer), rest[..bytes(&answer).len()]);
        }

        // Nothing is lost for whoever has as much as was dropped.
        for params in [after_offset("p", first_offset), after_seq("p", first_seq - 1)] {
            let answer = read(&mut peer, params).await;
            assert_eq!((answer.gap, answer.chunks[0].offset), (None, Some(first_offset)));
        }
        let later = read(&mut peer, after_offset("p", first_offset + 1000)).await;
        assert_eq!((later.gap, later.chunks[0].offset), (None, Some(first_offset + 1000)));
        peer.finish().await;
    }

    async fn a_gap_begins_where_an_earlier_answer_had_ended(server: &TestServer) {
        let mut peer = server.session_to_be_told(Notifications::None).await;
        let directory = tempfile::tempdir().expect("there is room for a directory");
        let go = directory.path().join("go");
        let argv = ["/bin/sh", "-c", PRELUDE_AND_FLOOD, &fixture::path(), go.to_str().unwrap(),
            &PRELUDE_BYTES.to_string(), &FLOOD_BYTES.to_string()];
        peer.start(json!({"processId": "p", "argv": argv, "env": {"PATH": "/usr/bin:/bin"}})).await;
        let mut told = Vec::new();
        let mut offset = 0;
        while offset < PRELUDE_BYTES {
            let page = ReadParams { max_bytes: Some(5000), wait_ms: LONG_MS, ..after_offset("p", offset) };
            let page = read(&mut peer, page).await;
            blocks::check(offset, &bytes(&page));
            offset = page.next_offset.unwrap();
            told.push((page.next_seq.0, offset));
        }
        fs::write(&go, "").expect("the directory is there");
        let state = closed(&mut peer, "p").await;
        let first = (state.first_seq.unwrap().0, state.first_offset.unwrap());
        assert_eq!(state.end_offset, Some(PRELUDE_BYTES + FLOOD_BYTES));
        for (next_seq, offset) in told {
            let expected = gap((next_seq, offset), (first.0 - 1, first.1));
            let by_offset = read(&mut peer, after_offset("p", offset)).await;
            assert_eq!(by_offset.gap, Some(expected));
            if offset == PRELUDE_BYTES {
                // By its number as well: the answer ended with the chunk.
                let by_seq = read(&mut peer, after_seq("p", next_seq - 1)).await;
                assert_eq!(by_seq.gap, Some(expected));
            }
        }
        peer.finish().await;
    }

    async fn a_number_that_nobody_was_told_begins_a_gap_no_later_than_it_should(server: &TestServer) {
        let mut peer = server.session_to_be_told(Notifications::None).await;
        peer.start(on_pipes("p", ["blocks", &FLOOD_BYTES.to_string()])).await;
        let state = closed(&mut peer, "p").await;
        let (first_seq, first_offset) = (state.first_seq.unwrap().0, state.first_offset.unwrap());
        for seq in (1..first_seq - 1).step_by(7) {
            let gap = read(&mut peer, after_seq("p", seq)).await.gap.expect("it is lost");
            assert!(gap.from_seq.0 <= seq + 1, "{seq}: {gap:?}");
            // A chunk has at least one byte.
            assert!(gap.from_offset >= gap.from_seq.0 - 1, "{seq}: {gap:?}");
            assert_eq!((gap.to_seq.0, gap.to_offset), (first_seq - 1, first_offset), "{seq}");
            assert_eq!(gap.bytes, first_offset - gap.from_offset, "{seq}");
        }
        peer.finish().await;
    }

    async fn a_slow_client_that_wants_no_block_is_told_of_each_byte_that_it_missed(peer: &mut Peer) {
        let progress = Progress::new();
        let params = with(progress.of_blocks("p", FLOOD_BYTES), json!({"onSlowClient": "skip"}));
        peer.expect_gaps("p");
        peer.start(params).await;
        // Every now and then the client is away for as long as it takes to write five megabytes.
        for missed in [5_000_000, 10_000_000, 15_000_000] {
            progress.beyond(missed).await;
            for _ in 0..10 {
                if !peer.transcript("p").is_closed {
                    peer.event("p").await;
                }
            }
        }
        let transcript = peer.output_until_closed("p").await;
        assert!(!transcript.gaps().is_empty(), "all {} bytes came", transcript.offset);
        assert_eq!((transcript.offset, transcript.exit_code), (FLOOD_BYTES, Some(0)));
        assert_told(&transcript.events);
        let state = read(peer, state("p")).await;
        assert_eq!(state.end_offset, Some(FLOOD_BYTES));
    }

    async fn a_gap_never_hides_the_exit(peer: &mut Peer) {
        let directory = tempfile::tempdir().expect("there is room for a directory");
        let file = directory.path().join("pid");
        let half = FLOOD_BYTES / 2;
        let argv = ["/bin/sh", "-c", FLOOD_AROUND_EXIT, &half.to_string(), file.to_str().unwrap()];
        peer.expect_gaps("p");
        let params = json!({"processId": "p", "argv": argv, "env": {"PATH": "/usr/bin:/bin"}});
        peer.start(with(params, json!({"onSlowClient": "skip"}))).await;
        let pid = || fs::read_to_string(&file).ok()?.strip_suffix('\n')?.parse().ok();
        until("it has begun", || pid().is_some()).await;
        reaped(pid().unwrap()).await;
        let transcript = peer.output_until_closed("p").await;
        assert_eq!((transcript.offset, transcript.exit_code), (FLOOD_BYTES, Some(7)));
        let at = transcript.events.iter().position(|event| matches!(event.what, What::Exited { .. })).unwrap();
        let around = [at - 1, at + 1].map(|at| transcript.events[at].what.clone());
        let [What::Gap(before), What::Gap(after)] = around else {
            panic!("{:?}", transcript.gaps());
        };
        assert!(before.to_offset >= half, "the exit came before what the leader had said: {before:?}");
        assert_eq!(after.from_offset, before.to_offset);
        assert_eq!(transcript.gaps(), [before, after]);
        // Who reads is told of both at once; the exit is in the state.
        let answer = read(peer, after_offset("p", 0)).await;
        assert_eq!(answer.gap, Some(gap((1, 0), (after.to_seq.0, after.to_offset))));
        assert!(answer.exited);
        // From right before the exit on, its number is none that is lost.
        let answer = read(peer, after_offset("p", before.to_offset)).await;
        assert_eq!(answer.gap, Some(after));
    }
}

/// Checks that each byte of the flood that was told stands where it belongs.
fn assert_told(events: &[exec_tests::Event]) {
    let mut offset = 0;
    for event in events {
        match &event.what {
            What::Output { bytes, .. } => {
                blocks::check(offset, bytes);
                offset += bytes.len() as u64;
            }
            What::Gap(gap) => offset = gap.to_offset,
            What::Exited { .. } | What::Closed => {}
        }
    }
    assert_eq!(offset, FLOOD_BYTES);
}
