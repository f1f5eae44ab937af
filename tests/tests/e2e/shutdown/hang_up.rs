//! Signals that are about something else than the end, and what a server says when it leaves.

use std::fs::{self, File};

use exec_tests::wait::until;
use exec_tests::{TestServer, fixture, on_program, on_wires, program};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::witness;

/// The server's program, and what it says on stderr.
fn heard(arguments: &[&str]) -> (tokio::process::Command, impl Fn() -> String + use<>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("stderr");
    let mut command = program::server(arguments.iter().copied());
    command.stderr(File::create(&path).unwrap());
    let said = move || {
        let _kept = &directory;
        fs::read_to_string(&path).unwrap()
    };
    (command, said)
}

#[tokio::test]
async fn a_hang_up_does_not_end_a_server_that_listens() {
    let (command, said) = heard(&["--log", "info"]);
    on_program(command, async |server| {
        let mut peer = server.session().await;
        witness::start(&mut peer).await;
        for round in 1..=3 {
            server.process().unwrap().signal(Signal::HUP);
            until("it has heard that", || {
                said().matches("told to read its files again").count() == round
            })
            .await;
            witness::answers(&mut peer, &round.to_string()).await;
        }
        witness::end(&mut peer).await;
        peer.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_still_ran_is_told_on_a_signal_and_an_end_without_it_is_silent() {
    for processes in [0, 3] {
        let (command, said) = heard(&[]);
        on_program(command, async |server| {
            let mut peer = server.session().await;
            peer.run(json!({"processId": "ended", "argv": ["/bin/echo"]}))
                .await;
            for number in 0..processes {
                // One that outlives its session is counted like the others, once.
                let on_disconnect = if number == 0 { "keep" } else { "session" };
                let params = json!({"processId": number.to_string(), "argv": ["/bin/sleep", "1000"], "onDisconnect": on_disconnect});
                peer.start(params).await;
            }
            let process = server.process().unwrap();
            process.signal(Signal::TERM);
            process.ended().await;
            peer.hang_up();
        })
        .await;
        let said = said();
        if processes == 0 {
            assert_eq!(said, "");
        } else {
            let lines: Vec<_> = said.lines().collect();
            assert_eq!(lines.len(), 1, "{said}");
            assert!(
                lines[0].ends_with("sessions=1 processes=3 is_complete=true"),
                "{said}"
            );
        }
    }
}

on_wires! {
    [stdio]
    async fn a_hang_up_ends_a_server_on_stdio_politely(server: &TestServer) {
        let mut peer = server.session().await;
        peer.start(json!({"processId": "p", "argv": fixture::argv(["last-words"])})).await;
        peer.output_until("p", "ready\n").await;
        server.process().unwrap().signal(Signal::HUP);
        let transcript = peer.output_until_closed("p").await;
        assert_eq!((transcript.text(), transcript.exit_code), ("ready\nbye\n".into(), Some(7)));
        peer.hung_up().await;
        peer.finish().await;
    }

    [stdio, websocket]
    async fn a_broken_pipe_ends_nobody(server: &TestServer) {
        let mut peer = server.session().await;
        witness::start(&mut peer).await;
        server.process().unwrap().signal(Signal::PIPE);
        witness::answers(&mut peer, "after the signal").await;
        // The child is gone before it is written to.
        peer.start(json!({"processId": "p", "argv": ["/bin/sh", "-c", "exec <&-; echo closed; exec sleep 1000"], "pipeStdin": true})).await;
        peer.output_until("p", "closed").await;
        let chunk = exec_tests::base64("nobody reads this");
        peer.call("process/write", json!({"processId": "p", "writeId": "w", "chunk": chunk})).await;
        witness::answers(&mut peer, "after the write").await;
        peer.terminate("p").await;
        peer.call("environment/info", Value::Null).await;
        witness::end(&mut peer).await;
        peer.finish().await;
    }

    [websocket]
    async fn a_peer_that_resets_in_a_flood_ends_nobody(server: &TestServer) {
        let mut peer = server.session().await;
        witness::start(&mut peer).await;
        for round in 0..10 {
            let mut other = exec_tests::websocket::RawWebsocket::connect(server.url(), "/", b"").await;
            other.send_text(&json!({"id": 1, "method": "initialize", "params": {"clientName": "t"}}).to_string()).await;
            other.send_text(&json!({"method": "initialized"}).to_string()).await;
            other.send_text(&json!({"id": 2, "method": "process/start", "params": {"processId": "p", "argv": ["/usr/bin/yes"]}}).to_string()).await;
            other.answer(2).await;
            other.reset();
            witness::answers(&mut peer, &format!("after reset {round}")).await;
        }
        witness::end(&mut peer).await;
        peer.finish().await;
    }
}
