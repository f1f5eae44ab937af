//! What a whole tree may use, on machines that can bound it: those with the controllers `memory` and `pids` of cgroup v2.
//!
//! Elsewhere the limit is refused, and that is all that there is to see; CONTRIBUTING.md says how to have such a machine.

use exec_tests::{Marker, Peer, on_every_wire};
use serde_json::{Value, json};

use super::{end, said};
use crate::commands::{script, with};

const MEMORY_BYTES: u64 = 64 << 20;

/// The limits of a start, if they can be kept here.
async fn kept(peer: &mut Peer, name: &str, value: u64) -> Option<Value> {
    let limits = json!({"limits": {"tree": {name: value}}});
    match peer
        .try_call("process/start", with(script("probe", "exit"), limits.clone()))
        .await
    {
        Ok(_) => {
            peer.output_until_closed("probe").await;
            Some(limits)
        }
        Err(error) => {
            assert_eq!(error.data.kind, "limitsUnsupported");
            None
        }
    }
}

on_every_wire! {
    async fn a_tree_that_wants_more_memory_ends_as_a_whole_and_says_why(peer: &mut Peer) {
        let Some(limits) = kept(peer, "memoryBytes", MEMORY_BYTES).await else { return };
        for (id, tty) in [("pipes", false), ("terminal", true)] {
            let marker = Marker::new();
            // The last line is kept until it is known to be the last; and it has no end.
            let greedy = "setsid sleep 1000 </dev/null >/dev/null 2>&1 & tail -n 1 </dev/zero";
            let params = with(marker.on(with(script(id, greedy), limits.clone())), json!({"tty": tty}));
            peer.run(params).await;
            assert_eq!(end(peer, id).await, ("SIGKILL".to_owned(), "oom".to_owned()));
            assert_eq!(marker.processes(), []);
        }
        assert_eq!(said(peer, "next", "echo on", limits).await, "on\n");
    }

    async fn who_is_killed_below_its_memory_did_not_run_out_of_it(peer: &mut Peer) {
        let Some(limits) = kept(peer, "memoryBytes", MEMORY_BYTES).await else { return };
        peer.run(with(script("p", "kill -KILL $$"), limits)).await;
        assert_eq!(end(peer, "p").await, ("SIGKILL".to_owned(), "signaled".to_owned()));
    }

    async fn a_tree_has_no_more_processes_and_another_one_has_its_own(peer: &mut Peer) {
        let Some(limits) = kept(peer, "processes", 2).await else { return };
        let forks = "exec 2>&-; sleep 1000 >/dev/null & echo one; sleep 1000 >/dev/null & echo two";
        for id in ["p", "q"] {
            assert_eq!(peer.run(with(script(id, forks), limits.clone())).await.text(), "one\n");
        }
        assert_eq!(said(peer, "free", "true & true & wait; echo on", json!({})).await, "on\n");
    }
}
