//! A leader that has exited while a descendant holds its output.

use exec_tests::wait::promptly;
use exec_tests::{Peer, What, on_every_wire};
use serde_json::json;

use crate::commands::{on_pipes, on_terminal};

on_every_wire! {
    async fn the_exit_is_told_before_the_output_of_a_grandchild_that_holds_the_pipe(peer: &mut Peer) {
        peer.start(on_pipes("p", ["hold-pipe", "2000", "late"])).await;
        peer.output_until("p", "leader").await;
        let exit_code = promptly("the exit", peer.exited("p")).await;
        assert_eq!(exit_code, 7);
        let transcript = peer.output_until_closed("p").await;
        assert_eq!(transcript.output_after_exit(), b"late\n");
        assert_eq!(transcript.stdout, b"leader\nlate\n");
    }

    async fn what_the_leader_left_in_the_pipe_comes_before_its_exit(peer: &mut Peer) {
        // More than a pipe holds: the leader can exit only when most of it was read.
        let bytes = 300_000;
        let script = format!("{} emit {bytes}; sleep 1000 & exit 3", exec_tests::fixture::path());
        peer.start(crate::commands::script("p", &script)).await;
        assert_eq!(peer.exited("p").await, 3);
        assert_eq!(peer.transcript("p").stdout.len(), bytes);
        // The exit is told, and so the process no longer counts as running. Still it acts.
        assert_eq!(peer.call("process/terminate", json!({"processId": "p"})).await["running"], false);
        let transcript = peer.output_until_closed("p").await;
        assert_eq!(transcript.stdout.len(), bytes);
    }

    async fn a_read_sees_the_exit_and_then_the_close(peer: &mut Peer) {
        peer.start(on_pipes("p", ["hold-pipe", "500", "late"])).await;
        peer.exited("p").await;
        let last = peer.transcript("p").last_seq;
        let state = peer.call("process/read", json!({"processId": "p", "afterSeq": last, "maxBytes": 0})).await;
        assert_eq!((&state["exited"], &state["exitCode"]), (&json!(true), &json!(7)));
        let transcript = peer.output_until_closed("p").await;
        let exit = transcript.events.iter().find(|event| matches!(event.what, What::Exited { .. })).unwrap();
        assert!(exit.seq < transcript.last_seq - 1, "output lies between the exit and the close");
        let state = peer.call("process/read", json!({"processId": "p", "afterSeq": transcript.last_seq})).await;
        assert_eq!((&state["exited"], &state["closed"]), (&json!(true), &json!(true)));
    }

    async fn a_terminal_whose_leader_has_exited_is_exited(peer: &mut Peer) {
        // The hangup of the terminal ends the grandchild, unless it ignores it.
        peer.start(on_terminal("p", ["hold-pipe", "1000", "late"])).await;
        peer.output_until("p", "leader").await;
        assert_eq!(promptly("the exit", peer.exited("p")).await, 7);
        peer.output_until_closed("p").await;
    }
}
