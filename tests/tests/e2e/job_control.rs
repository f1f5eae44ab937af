//! A shell on a terminal, with jobs in the foreground.

use exec_tests::{Peer, fixture, on_every_wire};
use serde_json::json;

/// An interactive shell that neither reads start files nor edits its lines.
async fn start_shell(peer: &mut Peer) {
    let argv = ["bash", "--norc", "--noprofile", "--noediting", "-i"];
    peer.start(
        json!({"processId": "sh", "argv": argv, "tty": true, "env": {"PS1": "", "PATH": "/usr/bin:/bin"}}),
    )
    .await;
    peer.write("sh", "stty -echo; echo re''ady\n").await;
    peer.output_until("sh", "ready").await;
}

async fn start_foreground_job(peer: &mut Peer) {
    peer.write("sh", format!("'{}' name-signals\n", fixture::path()))
        .await;
    // What was typed did not contain it: the job has begun.
    peer.output_until("sh", "ready\r\nready\r\n").await;
}

async fn leave(peer: &mut Peer) {
    peer.write("sh", "exit 5\n").await;
    let transcript = peer.output_until_closed("sh").await;
    assert_eq!(transcript.exit_code, Some(5));
    assert!(
        !transcript.text().contains("no job control"),
        "{:?}",
        transcript.text()
    );
}

on_every_wire! {
    async fn ctrl_c_interrupts_the_foreground_job_and_the_shell_survives(peer: &mut Peer) {
        start_shell(peer).await;
        start_foreground_job(peer).await;
        peer.write("sh", b"\x03").await;
        peer.output_until("sh", "SIGINT").await;
        peer.write("sh", "echo survived $?\n").await;
        peer.output_until("sh", "survived ").await;
        leave(peer).await;
    }

    async fn an_interrupt_goes_to_the_foreground_job(peer: &mut Peer) {
        start_shell(peer).await;
        start_foreground_job(peer).await;
        let interrupt = json!({"processId": "sh", "signal": "interrupt"});
        assert_eq!(peer.call("process/signal", interrupt).await, json!({"delivered": true}));
        peer.output_until("sh", "SIGINT").await;
        peer.write("sh", "echo survived\n").await;
        peer.output_until("sh", "survived").await;
        leave(peer).await;
    }

    async fn a_job_can_be_stopped_and_taken_up_again(peer: &mut Peer) {
        start_shell(peer).await;
        start_foreground_job(peer).await;
        peer.write("sh", b"\x1a").await;
        peer.output_until("sh", "Stopped").await;
        peer.write("sh", "fg\n").await;
        peer.output_until("sh", "SIGCONT").await;
        peer.write("sh", b"\x03").await;
        peer.output_until("sh", "SIGINT").await;
        leave(peer).await;
    }

    async fn terminate_ends_a_shell_and_its_foreground_job(peer: &mut Peer) {
        start_shell(peer).await;
        peer.write("sh", "echo pid $$; sleep 1000\n").await;
        peer.output_until("sh", "pid ").await;
        let transcript = peer.terminate("sh").await;
        assert!(transcript.exit_code.is_some_and(|code| code > 128), "{:?}", transcript.exit_code);
    }
}
