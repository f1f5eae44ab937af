//! SIGTERM and SIGINT, and what stands for them where the server is a part of the program.

use std::time::Duration;

use exec_protocol::ErrorKind;
use exec_tests::os::with_variable;
use exec_tests::wait::{until, within_patience};
use exec_tests::{Peer, TestServer, Wire, fixture, on_every_wire, on_wires};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::time::Instant;

/// How long a process that does not end is given, by default.
const GRACE: Duration = Duration::from_secs(2);

/// Does not end when it is asked to, which on a terminal a hang-up does.
const STUBBORN: &str = "trap '' TERM HUP; echo ready; while :; do sleep 1; done";

/// Says goodbye when it is asked to end.
const POLITE: &str = "exec 2>/dev/null; trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 1; done";

fn signal(server: &TestServer, signal: Signal) {
    let process = server.process().expect("it runs on its own");
    let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
    // Fails if it has left already.
    let _ = kill_process(pid.expect("a pid is positive"), signal);
}

/// Asks the server to leave, and does this meanwhile.
async fn leave<T>(server: &TestServer, how: Signal, meanwhile: impl Future<Output = T>) -> T {
    match server.wire {
        Wire::Memory => {
            let both = async { tokio::join!(server.in_process().shutdown(), meanwhile) };
            let (report, outcome) = within_patience("the shutdown", both).await;
            assert!(report.is_complete, "{report:?}");
            outcome
        }
        Wire::Stdio | Wire::Websocket => {
            signal(server, how);
            meanwhile.await
        }
    }
}

/// The connection was closed because the server leaves.
async fn says_goodbye(server: &TestServer, peer: &mut Peer) {
    let (code, reason) = peer.hung_up().await;
    if server.wire == Wire::Websocket {
        assert_eq!(code, Some(1001));
        assert!(
            reason.is_some_and(|reason| !reason.is_empty()),
            "left without a reason"
        );
    }
}

fn marked(name: &str, wire: Wire) -> (String, Value) {
    let value = format!("{name}-{wire:?}-{}", std::process::id());
    let variables = json!({"PATH": "/usr/bin:/bin", "EXEC_TESTS_MARKER": value});
    (format!("EXEC_TESTS_MARKER={value}"), variables)
}

async fn polite_first(server: &TestServer, how: Signal) {
    let mut peer = server.session().await;
    peer.start(
        json!({"processId": "p", "argv": ["/bin/sh", "-c", POLITE], "env": {"PATH": "/usr/bin:/bin"}}),
    )
    .await;
    peer.output_until("p", "ready\n").await;
    let told = async {
        let transcript = peer.output_until_closed("p").await;
        assert_eq!(
            (transcript.text(), transcript.exit_code),
            ("ready\nbye\n".into(), Some(3))
        );
        says_goodbye(server, &mut peer).await;
    };
    leave(server, how, told).await;
    peer.finish().await;
}

on_every_wire! {
    async fn sigterm_ends_processes_politely_and_tells_what_became_of_them(server: &TestServer) {
        polite_first(server, Signal::TERM).await;
    }

    async fn sigint_does_the_same(server: &TestServer) {
        polite_first(server, Signal::INT).await;
    }

    async fn who_does_not_end_is_killed(server: &TestServer) {
        let mut peer = server.session().await;
        peer.start(json!({"processId": "p", "argv": fixture::argv(["ignore-term"])})).await;
        peer.start(json!({"processId": "t", "argv": ["/bin/sh", "-c", STUBBORN], "tty": true, "env": {"PATH": "/usr/bin:/bin"}})).await;
        peer.output_until("p", "ready").await;
        peer.output_until("t", "ready").await;
        let told = async {
            assert_eq!(peer.output_until_closed("p").await.exit_code, Some(128 + 9));
            assert_eq!(peer.output_until_closed("t").await.exit_code, Some(128 + 9));
            says_goodbye(server, &mut peer).await;
        };
        leave(server, Signal::TERM, told).await;
        peer.finish().await;
    }

    async fn nothing_is_left_of_a_whole_family(server: &TestServer) {
        let (marker, env) = marked("family", server.wire);
        let mut peer = server.session().await;
        let script = "sleep 1000 & (trap '' TERM; sleep 1001 & sleep 1002) & echo ready; wait";
        for (id, tty) in [("pipes", false), ("terminal", true)] {
            peer.start(json!({"processId": id, "argv": ["/bin/sh", "-c", script], "env": env, "tty": tty})).await;
            peer.output_until(id, "ready").await;
        }
        until("the family is there", || with_variable(&marker).len() >= 8).await;
        let told = async {
            peer.output_until_closed("pipes").await;
            peer.output_until_closed("terminal").await;
            says_goodbye(server, &mut peer).await;
        };
        leave(server, Signal::TERM, told).await;
        peer.finish().await;
        until("nothing is left", || with_variable(&marker).is_empty()).await;
    }

    async fn a_request_that_waits_is_answered_that_the_server_leaves(server: &TestServer) {
        let mut peer = server.session().await;
        peer.start(json!({"processId": "p", "argv": fixture::argv(["ignore-term"])})).await;
        peer.output_until("p", "ready").await;
        let read = json!({"processId": "p", "afterSeq": 1, "waitMs": 60_000});
        let waiting = [
            peer.request("process/read", read.clone()).await,
            peer.request("process/read", read.clone()).await,
        ];
        peer.send_text(json!([{"jsonrpc": "2.0", "id": "in a batch", "method": "process/read", "params": read}]).to_string()).await;
        peer.call("environment/info", Value::Null).await;
        let told = async {
            for id in waiting {
                let error = peer.response(id).await.expect_err("nothing came to be read");
                assert_eq!(error.kind(), Some(ErrorKind::ShuttingDown));
            }
            let batch = peer.claim("the batch", Value::is_array).await;
            assert_eq!(batch[0]["error"]["data"]["kind"], "shuttingDown", "{batch}");
            // Nothing new is begun. What is left is told.
            let error = peer.refused("process/start", json!({"processId": "q", "argv": ["/bin/echo"]})).await;
            assert_eq!(error.kind(), Some(ErrorKind::ShuttingDown));
            assert_eq!(peer.output_until_closed("p").await.exit_code, Some(128 + 9));
            says_goodbye(server, &mut peer).await;
        };
        leave(server, Signal::TERM, told).await;
        peer.finish().await;
    }

    async fn a_server_with_nothing_to_do_leaves_at_once(server: &TestServer) {
        let mut peer = server.session().await;
        peer.run(json!({"processId": "p", "argv": ["/bin/echo"]})).await;
        leave(server, Signal::TERM, says_goodbye(server, &mut peer)).await;
        peer.finish().await;
    }
}

on_wires! {
    [stdio, websocket]
    /// A kill that waited for the grace period would never be early, however often it is tried.
    async fn a_second_signal_kills_at_once(server: &TestServer) {
        let wire = server.wire;
        let peer = server.session().await;
        peer.finish().await;
        let mut took = Vec::new();
        for (first, second) in [(Signal::TERM, Signal::TERM), (Signal::TERM, Signal::INT), (Signal::INT, Signal::INT)] {
            let server = TestServer::start(wire).await;
            let mut peer = server.session().await;
            peer.start(json!({"processId": "p", "argv": fixture::argv(["name-signals"])})).await;
            peer.output_until("p", "ready").await;
            let begun = Instant::now();
            signal(&server, first);
            peer.output_until("p", "SIGTERM").await;
            signal(&server, second);
            assert_eq!(peer.output_until_closed("p").await.exit_code, Some(128 + 9));
            took.push(begun.elapsed());
            says_goodbye(&server, &mut peer).await;
            peer.finish().await;
            server.finish().await;
        }
        assert!(took.iter().any(|took| *took < GRACE), "{took:?}");
    }

    [websocket]
    async fn every_connection_is_told_and_those_that_never_shook_hands_hold_up_nobody(server: &TestServer) {
        let mut peers = Vec::new();
        for number in 0..5 {
            let mut peer = server.session().await;
            peer.start(json!({"processId": number.to_string(), "argv": fixture::argv(["echo"]), "pipeStdin": true})).await;
            peers.push(peer);
        }
        let mut silent = server.connect().await;
        let half = tokio::net::TcpStream::connect(exec_tests::websocket::address(server.url())).await.expect("it listens");
        signal(server, Signal::TERM);
        for (number, mut peer) in peers.into_iter().enumerate() {
            let transcript = peer.output_until_closed(&number.to_string()).await;
            assert_eq!(transcript.exit_code, Some(128 + 15));
            says_goodbye(server, &mut peer).await;
            peer.finish().await;
        }
        says_goodbye(server, &mut silent).await;
        silent.finish().await;
        server.process().expect("it runs on its own").ended().await;
        drop(half);
    }

    [websocket]
    async fn a_session_without_a_connection_ends_with_the_server(server: &TestServer) {
        let (marker, env) = marked("detached", server.wire);
        let mut peer = server.session().await;
        peer.start(json!({"processId": "p", "argv": ["/bin/sleep", "1000"], "env": env})).await;
        peer.finish().await;
        until("the process is there", || with_variable(&marker).len() == 1).await;
        signal(server, Signal::TERM);
        server.process().expect("it runs on its own").ended().await;
        assert_eq!(with_variable(&marker), []);
    }
}
