//! `drainGraceMs`: how long a process is kept open for those who hold its output when it has exited.

use exec_protocol::process::{EndReason, ProcessState};
use exec_tests::os::OsProcess;
use exec_tests::wait::{promptly, until};
use exec_tests::{Marker, Peer, Transcript, on_every_wire};
use serde_json::{Value, json};

use super::{LONG_MS, end, terminate};
use crate::commands::{on_pipes, script, with};
use crate::records::{read, record};

/// Leaves somebody behind who holds the output, says something later, when the file is there, and then does this.
fn holder(marker: &Marker, then: &str, more: Value) -> Value {
    let script =
        format!("(until [ -e \"$GO\" ]; do sleep 0.02; done; echo late; {then}) & echo leader; exit 3");
    with(marker.on(self::script("p", &script)), more)
}

/// The one that is still there, with the name of the marker.
async fn only(marker: &Marker, transcript: &Transcript) -> OsProcess {
    let close = transcript.close.clone().expect("it was told");
    let [told, ..] = &close.held_by[..] else {
        panic!("nobody holds it: {close:?}");
    };
    assert!(!told.command.is_empty());
    let find = || {
        marker
            .processes()
            .into_iter()
            .find(|process| process.pid == told.pid)
    };
    until("the one that was told is found", || find().is_some()).await;
    find().expect("it stays")
}

on_every_wire! {
    async fn when_it_is_over_the_close_is_incomplete_and_says_who_holds_the_output(peer: &mut Peer) {
        let (marker, directory) = (Marker::new(), tempfile::tempdir().unwrap());
        let go = directory.path().join("go");
        let mut params = holder(&marker, "exec sleep 1000", json!({"drainGraceMs": 300}));
        params["env"]["GO"] = json!(go);
        peer.start(params).await;
        let transcript = peer.output_until_closed("p").await;
        assert_eq!(end(peer, &transcript).await, (3, EndReason::Exited, None));
        let close = transcript.close.clone().unwrap();
        assert!(close.incomplete);
        let record = record(peer, "p").await;
        assert_eq!((record.state, record.incomplete, &record.held_by), (ProcessState::Closed, true, &close.held_by));
        let waited = record.closed_at_ms.unwrap() - record.exited_at_ms.unwrap();
        assert!(waited >= 290, "{waited} ms");
        assert!(read(peer, "p").await.incomplete);

        // It lives on; what it says now is said to nobody.
        let holder = only(&marker, &transcript).await;
        std::fs::write(&go, "").unwrap();
        until("it has spoken, and gone on or ended of it", || {
            !holder.is_running() || holder.name().as_deref() == Some("sleep")
        })
        .await;
        assert_eq!(read(peer, "p").await.end_offset, Some("leader\n".len() as u64));
        assert_eq!(terminate(peer, "p", json!({"graceMs": 0})).await["running"], false);
        marker.ended().await;
    }

    async fn the_holder_lives_on_and_its_command_is_told(peer: &mut Peer) {
        let marker = Marker::new();
        let params = with(script("p", "sleep 1000 & exit 0"), json!({"drainGraceMs": 100}));
        let transcript = peer.run(marker.on(params)).await;
        let holder = only(&marker, &transcript).await;
        assert_eq!(transcript.close.as_ref().unwrap().held_by[0].command, "sleep 1000");
        // Others come and go.
        peer.run(on_pipes("q", ["exit", "0"])).await;
        assert!(holder.is_running());
        terminate(peer, "p", json!({"graceMs": 0})).await;
        marker.ended().await;
    }

    async fn with_0_the_close_follows_the_exit_and_all_that_was_written_before(peer: &mut Peer) {
        let marker = Marker::new();
        let bytes = 300_000;
        let script = format!("sleep 1000 & exec {} emit {bytes}", exec_tests::fixture::path());
        peer.start(marker.on(with(self::script("p", &script), json!({"drainGraceMs": 0})))).await;
        peer.exited("p").await;
        let transcript = promptly("the close", peer.output_until_closed("p")).await;
        assert!(transcript.close.as_ref().unwrap().incomplete);
        assert_eq!(transcript.stdout.len(), bytes);
        terminate(peer, "p", json!({"graceMs": 0})).await;
        marker.ended().await;
    }

    async fn who_lets_go_in_time_makes_it_complete(peer: &mut Peer) {
        let params = with(on_pipes("p", ["hold-pipe", "300", "late"]), json!({"drainGraceMs": LONG_MS}));
        let transcript = peer.run(params).await;
        assert_eq!(transcript.text(), "leader\nlate\n");
        let close = transcript.close.unwrap();
        assert_eq!((close.incomplete, close.held_by), (false, vec![]));
        assert!(!record(peer, "p").await.incomplete);
        // And where nobody holds anything there is nothing to wait for.
        let transcript = promptly("the close", peer.run(with(on_pipes("q", ["exit", "0"]), json!({"drainGraceMs": LONG_MS})))).await;
        assert!(!transcript.close.unwrap().incomplete);
    }

    async fn without_it_the_process_stays_open_for_the_holder(peer: &mut Peer) {
        let holds = Marker::new();
        let directory = tempfile::tempdir().unwrap();
        let go = directory.path().join("go");
        let mut params = holder(&holds, "exec true", json!({}));
        params["env"]["GO"] = json!(go);
        peer.start(params).await;
        peer.exited("p").await;
        assert_eq!(record(peer, "p").await.state, ProcessState::Exited);
        // One with a short time that has exited later is closed earlier.
        let marker = Marker::new();
        peer.run(marker.on(with(script("q", "sleep 1000 &"), json!({"drainGraceMs": 0})))).await;
        assert_eq!(record(peer, "p").await.state, ProcessState::Exited);
        std::fs::write(&go, "").unwrap();
        let transcript = peer.output_until_closed("p").await;
        assert_eq!((transcript.text().as_str(), transcript.close.unwrap().incomplete), ("leader\nlate\n", false));
        terminate(peer, "q", json!({"graceMs": 0})).await;
        marker.ended().await;
    }
}
