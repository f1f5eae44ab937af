//! `idleTimeoutMs`: how long a process may say nothing.

use std::time::Duration;

use exec_protocol::process::EndReason;
use exec_tests::wait::until;
use exec_tests::{Marker, Peer, TestServer, Transcript, blocks, clock, on_every_wire};
use serde_json::json;

use super::{end, run};
use crate::commands::{on_pipes, script, with};
use crate::output::progress::Progress;
use crate::records::record;

/// How long may be said nothing, where something is said all the time.
const IDLE: Duration = Duration::from_secs(1);

/// What is written for a client that does not read, in bytes: more than is held anywhere.
const FLOOD_BYTES: u64 = 20_000_000;

/// Leaves a file, and says nothing.
const SILENT: &str = r#": >"$BEGUN" && exec sleep 1000"#;

/// From the first line to the last.
fn spoke_for(transcript: &Transcript) -> Duration {
    let text = transcript.text();
    let stamps: Vec<&str> = text
        .split_inclusive('\n')
        .filter(|line| line.len() == clock::STAMP_BYTES)
        .collect();
    let nanos = |line: &str| line.trim().parse::<u64>().expect("a stamp is a number");
    match stamps[..] {
        [first, .., last] => Duration::from_nanos(nanos(last) - nanos(first)),
        _ => Duration::ZERO,
    }
}

on_every_wire! {
    async fn who_says_nothing_for_its_time_is_ended(peer: &mut Peer) {
        let (transcript, end) = run(peer, with(on_pipes("p", ["last-words"]), json!({"idleTimeoutMs": 1000}))).await;
        assert_eq!(transcript.text(), "ready\nbye\n");
        assert_eq!(end, (7, EndReason::IdleTimeout, None));
    }

    async fn the_time_counts_from_the_last_output(peer: &mut Peer) {
        let idle_ms = u64::try_from(IDLE.as_millis()).unwrap();
        peer.start(with(on_pipes("p", ["stamped-lines", "50"]), json!({"idleTimeoutMs": idle_ms, "graceMs": 0}))).await;
        while spoke_for(peer.transcript("p")) < 2 * IDLE {
            peer.event("p").await;
        }
        // From now on it says nothing.
        peer.call("process/signal", json!({"processId": "p", "signal": "stop"})).await;
        let transcript = peer.output_until_closed("p").await;
        assert_eq!(end(peer, &transcript).await, (137, EndReason::IdleTimeout, None));
        let record = record(peer, "p").await;
        let silent = record.exited_at_ms.expect("it has") - record.last_output_at_ms.expect("it spoke");
        assert!(silent + 20 >= idle_ms, "it was ended after {silent} ms");
    }

    async fn who_is_not_read_is_not_idle(server: &TestServer) {
        let mut peer = server.session().await;
        let (progress, blocked, silent) = (Progress::new(), Marker::new(), Marker::new());
        let idle = json!({"idleTimeoutMs": 500, "graceMs": 0});
        peer.start(blocked.on(with(progress.of_blocks("blocked", FLOOD_BYTES), idle.clone()))).await;
        // From here on nothing is read.
        let written = progress.standstill().await;
        assert!(written < FLOOD_BYTES, "it was not blocked");
        // Those that are read and say nothing are ended meanwhile, one after the other.
        let directory = tempfile::tempdir().unwrap();
        for n in 0..2 {
            let begun = directory.path().join(n.to_string());
            let mut params = silent.on(with(script(&format!("silent {n}"), SILENT), idle.clone()));
            params["env"]["BEGUN"] = json!(begun);
            peer.request("process/start", params).await;
            // It may have ended by the time somebody looks.
            until("the silent one has begun", || begun.exists()).await;
            silent.ended().await;
        }
        assert_eq!(blocked.processes().len(), 1, "it still runs");
        let transcript = peer.output_until_closed("blocked").await;
        blocks::check(0, &transcript.stdout);
        assert_eq!(transcript.stdout.len() as u64, FLOOD_BYTES);
        assert_eq!(end(&mut peer, &transcript).await, (0, EndReason::Exited, None));
        for n in 0..2 {
            let transcript = peer.output_until_closed(&format!("silent {n}")).await;
            assert_eq!(end(&mut peer, &transcript).await, (137, EndReason::IdleTimeout, None));
        }
        peer.hang_up();
    }
}
