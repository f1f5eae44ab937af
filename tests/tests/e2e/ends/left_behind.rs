//! Who is left of a closed process, and whether a client can still end them.

use exec_protocol::process::EndReason;
use exec_tests::{Marker, Peer, on_every_wire};
use serde_json::json;

use super::{end, terminate};
use crate::commands::{on_pipes, script};

on_every_wire! {
    async fn only_a_terminate_with_a_grace_of_its_own_ends_a_daemon_that_was_left_behind(peer: &mut Peer) {
        for grace_ms in [0, 200] {
            let (marker, id) = (Marker::new(), format!("p{grace_ms}"));
            let script = format!("{} ignore-term >/dev/null 2>&1 </dev/null & echo $!", exec_tests::fixture::path());
            let transcript = peer.run(marker.on(self::script(&id, &script))).await;
            assert_eq!(end(peer, &transcript).await, (0, EndReason::Exited, None));
            let daemon = marker.running(1).await[0];
            let answer = json!({"running": false, "endReason": "exited"});
            for _ in 0..3 {
                assert_eq!(terminate(peer, &id, json!({})).await, answer);
            }
            // What it does not do cannot be waited for; a process that ran after it has had its signals.
            peer.run(on_pipes(&format!("q{grace_ms}"), ["exit", "0"])).await;
            assert!(daemon.is_running());
            assert_eq!(terminate(peer, &id, json!({"graceMs": grace_ms})).await, answer);
            daemon.ended().await;
            marker.ended().await;
        }
    }
}
