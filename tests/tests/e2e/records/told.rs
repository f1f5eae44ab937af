//! The same facts in notifications and reads.

use exec_protocol::process::EndReason;
use exec_tests::{Peer, on_every_wire};
use serde_json::json;

use super::{read, record};
use crate::commands::{on_pipes, script};

on_every_wire! {
    async fn what_is_told_of_the_end_is_what_the_record_says(peer: &mut Peer) {
        peer.run(script("exits", "echo out; echo err >&2; exit 3")).await;
        peer.start(on_pipes("dies", ["die", "9"])).await;
        let died = peer.output_until_closed("dies").await;
        peer.start(on_pipes("asked", ["never-read"])).await;
        let asked = peer.terminate("asked").await;
        for (id, transcript) in [("dies", died), ("asked", asked)] {
            let record = record(peer, id).await;
            let exit = transcript.exit.expect("it was told");
            assert_eq!(Some(exit.exit_code), record.exit_code);
            assert_eq!((&exit.signal, exit.end_reason), (&record.signal, record.end_reason));
            assert_eq!((&exit.ended_by, exit.exited_at_ms), (&record.ended_by, record.exited_at_ms));
            let close = transcript.close.expect("it was told");
            assert_eq!((close.closed_at_ms, close.bytes), (record.closed_at_ms, Some(record.bytes)));
            assert_eq!((close.cpu, close.max_rss_bytes), (record.cpu, record.max_rss_bytes));
            assert_eq!((close.incomplete, &close.held_by), (record.incomplete, &record.held_by));
        }
    }

    async fn a_read_tells_the_signal_and_the_reason_once_there_is_one(peer: &mut Peer) {
        peer.start(on_pipes("p", ["ignore-term"])).await;
        peer.output_until("p", "ready").await;
        let running = read(peer, "p").await;
        assert_eq!((running.exited, running.signal, running.end_reason), (false, None, None));
        peer.call("process/signal", json!({"processId": "p", "signal": "kill"})).await;
        peer.output_until_closed("p").await;
        let ended = read(peer, "p").await;
        assert_eq!((ended.exit_code, ended.signal.as_deref()), (Some(137), Some("SIGKILL")));
        assert_eq!((ended.end_reason, ended.incomplete), (Some(EndReason::Signaled), false));
    }
}
