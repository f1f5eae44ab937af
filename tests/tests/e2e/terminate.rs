//! `process/terminate`: politely, then not; and never on what is closed.

use std::time::Duration;

use exec_server::Config;
use exec_tests::os::OsProcess;
use exec_tests::wait::{promptly, within_patience};
use exec_tests::{Peer, TestServer, on_every_wire, on_wires};
use rustix::process::Signal;
use serde_json::json;
use tokio::time::Instant;

use crate::commands::{on_pipes, on_terminal, script};

/// The process whose number `process_id` has printed as a line, and no more.
async fn printed_pid(peer: &mut Peer, process_id: &str) -> OsProcess {
    peer.output_until(process_id, "\n").await;
    let text = peer.transcript(process_id).text();
    OsProcess::with_pid(text.trim().parse().expect("it printed a pid")).expect("it runs")
}

on_every_wire! {
    async fn a_polite_program_says_its_last_words(peer: &mut Peer) {
        peer.start(on_pipes("p", ["last-words"])).await;
        peer.output_until("p", "ready").await;
        let transcript = promptly("to terminate", peer.terminate("p")).await;
        assert_eq!((transcript.text().as_str(), transcript.exit_code), ("ready\nbye\n", Some(7)));
    }

    async fn what_ignores_it_is_killed(peer: &mut Peer) {
        peer.start(on_pipes("p", ["ignore-term"])).await;
        peer.start(on_terminal("t", ["ignore-term"])).await;
        peer.output_until("p", "ready").await;
        peer.output_until("t", "ready").await;
        for id in ["p", "t"] {
            assert_eq!(peer.call("process/terminate", json!({"processId": id})).await["running"], true);
        }
        assert_eq!(peer.output_until_closed("p").await.exit_code, Some(137));
        // A terminal hangs up as well, which it does not ignore.
        let exit_code = peer.output_until_closed("t").await.exit_code;
        assert!(matches!(exit_code, Some(129 | 137)), "{exit_code:?}");
    }

    async fn it_is_answered_at_once_and_may_be_repeated(peer: &mut Peer) {
        peer.start(on_pipes("p", ["ignore-term"])).await;
        peer.output_until("p", "ready").await;
        for _ in 0..3 {
            let answer = promptly("an answer", peer.call("process/terminate", json!({"processId": "p"}))).await;
            assert_eq!(answer["running"], true);
        }
        assert_eq!(peer.exited("p").await, 137);
        peer.output_until_closed("p").await;
        assert_eq!(peer.call("process/terminate", json!({"processId": "p"})).await["running"], false);
    }

    async fn it_ends_the_whole_group(peer: &mut Peer) {
        peer.start(script("p", "sleep 1000 & echo $!; wait")).await;
        let child = printed_pid(peer, "p").await;
        peer.terminate("p").await;
        child.ended().await;
    }

    async fn who_holds_the_output_of_an_exited_leader_is_ended_too(peer: &mut Peer) {
        peer.start(on_pipes("p", ["hold-pipe", "100000", "never"])).await;
        assert_eq!(peer.exited("p").await, 7);
        assert_eq!(peer.call("process/terminate", json!({"processId": "p"})).await["running"], false);
        let transcript = promptly("the close", peer.output_until_closed("p")).await;
        assert_eq!(transcript.text(), "leader\n");
    }

    async fn a_daemon_that_a_closed_process_left_behind_is_not_touched(peer: &mut Peer) {
        peer.start(on_pipes("p", ["spawn-sleeper"])).await;
        let daemon = printed_pid(peer, "p").await;
        peer.output_until_closed("p").await;
        for _ in 0..2 {
            assert_eq!(peer.call("process/terminate", json!({"processId": "p"})).await["running"], false);
        }
        assert_eq!(peer.call("process/signal", json!({"processId": "p", "signal": "kill"})).await, json!({"delivered": false}));
        // What it does not do cannot be waited for; a process that ran after it has had its signals.
        peer.run(on_pipes("q", ["exit", "0"])).await;
        assert!(daemon.is_running());
        daemon.signal(Signal::KILL);
        daemon.ended().await;
    }

    async fn one_that_is_pipelined_behind_its_start_ends_it(peer: &mut Peer) {
        let start = peer.request("process/start", on_pipes("p", ["never-read"])).await;
        let terminate = peer.request("process/terminate", json!({"processId": "p"})).await;
        peer.response(start).await.unwrap();
        assert_eq!(peer.response(terminate).await.unwrap()["running"], true);
        assert_eq!(peer.output_until_closed("p").await.exit_code, Some(143));
    }
}

on_wires! {
    [memory, websocket]
    async fn it_is_carried_out_although_the_client_hangs_up(server: &TestServer) {
        let mut peer = server.session().await;
        peer.start(script("p", "echo $$; exec sleep 1000")).await;
        let process = printed_pid(&mut peer, "p").await;
        peer.request("process/terminate", json!({"processId": "p"})).await;
        peer.hang_up();
        process.ended().await;
    }
}

/// Between the polite signal and the kill, where a test does not want to wait for 2 s.
const SHORT_GRACE: Duration = Duration::from_millis(300);

#[tokio::test]
async fn the_kill_comes_after_the_grace_and_not_before() {
    let server = TestServer::embedded(Config {
        terminate_grace: SHORT_GRACE,
        ..Config::default()
    });
    let mut peer = server.session().await;
    peer.start(on_pipes("p", ["ignore-term"])).await;
    peer.output_until("p", "ready").await;
    let asked = Instant::now();
    let transcript = within_patience("the kill", peer.terminate("p")).await;
    assert_eq!(transcript.exit_code, Some(137));
    assert!(asked.elapsed() >= SHORT_GRACE, "{:?}", asked.elapsed());
    peer.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn an_ended_process_is_forgotten_after_its_time() {
    let server = TestServer::embedded(Config {
        retain_ended: Duration::from_millis(50),
        ..Config::default()
    });
    let mut peer = server.session().await;
    peer.run(on_pipes("p", ["exit", "0"])).await;
    let started = Instant::now();
    // The id is free as soon as nothing can be read any more.
    while peer
        .try_call("process/read", json!({"processId": "p"}))
        .await
        .is_ok()
    {
        assert!(
            started.elapsed() < exec_tests::wait::PATIENCE,
            "it is still there"
        );
    }
    assert_eq!(peer.run(on_pipes("p", ["exit", "1"])).await.exit_code, Some(1));
    peer.finish().await;
    server.finish().await;
}
