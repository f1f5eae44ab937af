//! Why a process ended.

use exec_protocol::process::{EndReason, ProcessState};
use exec_tests::wait::within_patience;
use exec_tests::{Peer, TestServer, Wire, on_every_wire, on_wires};
use rustix::process::Signal;
use serde_json::json;

use super::{end, run};
use crate::commands::{on_pipes, on_terminal};
use crate::records::record;

on_every_wire! {
    async fn who_ends_by_itself_has_exited(peer: &mut Peer) {
        for code in [0, 1, 255] {
            let (_, end) = run(peer, on_pipes(&code.to_string(), ["exit", &code.to_string()])).await;
            assert_eq!(end, (code, EndReason::Exited, None));
        }
        let (_, end) = run(peer, on_terminal("t", ["exit", "137"])).await;
        assert_eq!(end, (137, EndReason::Exited, None), "no signal, only its number");
    }

    async fn who_is_killed_by_a_signal_was_signaled(peer: &mut Peer) {
        for (number, name) in [("9", "SIGKILL"), ("15", "SIGTERM"), ("6", "SIGABRT")] {
            let (transcript, end) = run(peer, on_pipes(name, ["die", number])).await;
            let code = 128 + number.parse::<i32>().unwrap();
            assert_eq!(end, (code, EndReason::Signaled, None));
            assert_eq!(transcript.exit.unwrap().signal.as_deref(), Some(name));
            assert_eq!(record(peer, name).await.signal.as_deref(), Some(name));
        }
    }

    async fn a_signal_of_the_client_is_no_wish_for_the_end(peer: &mut Peer) {
        peer.start(on_pipes("p", ["never-read"])).await;
        peer.output_until("p", "ready").await;
        peer.call("process/signal", json!({"processId": "p", "signal": "terminate"})).await;
        let transcript = peer.output_until_closed("p").await;
        assert_eq!(end(peer, &transcript).await, (143, EndReason::Signaled, None));
    }

    async fn who_was_terminated_was_so_by_a_client_with_a_name(server: &TestServer) {
        let mut peer = server.connect().await;
        peer.call("initialize", json!({"clientName": "somebody"})).await;
        peer.notify("initialized", json!({})).await;
        for (id, fixture, code) in [("p", "never-read", 143), ("polite", "last-words", 7)] {
            peer.start(on_pipes(id, [fixture])).await;
            peer.output_until(id, "ready").await;
            let transcript = peer.terminate(id).await;
            assert_eq!(end(&mut peer, &transcript).await, (code, EndReason::Terminated, Some("somebody".into())));
        }
        peer.finish().await;
    }

    async fn with_the_server_a_process_ends_by_its_shutdown(server: &TestServer) {
        let mut peer = server.session().await;
        peer.start(on_pipes("p", ["last-words"])).await;
        peer.output_until("p", "ready").await;
        let told = async {
            let exit = peer.output_until_closed("p").await.exit.expect("it was told");
            assert_eq!((exit.exit_code, exit.end_reason), (7, Some(EndReason::ServerShutdown)));
            assert_eq!(exit.ended_by, None);
        };
        match server.process() {
            None => {
                let both = async { tokio::join!(server.in_process().shutdown(), told) };
                assert!(within_patience("the shutdown", both).await.0.is_complete);
            }
            Some(process) => {
                process.signal(Signal::TERM);
                told.await;
            }
        }
        peer.hung_up().await;
        peer.finish().await;
    }
}

on_wires! {
    [memory, websocket]
    async fn with_its_session_a_process_was_disconnected(server: &TestServer) {
        let mut peer = server.session().await;
        peer.start(on_pipes("p", ["last-words"])).await;
        peer.output_until("p", "ready").await;
        peer.call("session/close", json!({})).await;
        let exit = peer.output_until_closed("p").await.exit.expect("it was told");
        assert_eq!((exit.exit_code, exit.end_reason, exit.ended_by), (7, Some(EndReason::Disconnected), None));
        peer.finish().await;
    }

    [memory, websocket]
    async fn a_kept_record_says_that_its_connection_was_lost(server: &TestServer) {
        assert_ne!(server.wire, Wire::Stdio);
        let mut peer = server.connect().await;
        let session_id = peer.handshake().await.session_id;
        peer.start(crate::commands::with(on_pipes("p", ["last-words"]), json!({"onDisconnect": "kill"}))).await;
        peer.output_until("p", "ready").await;
        peer.hang_up();
        let mut peer = server.connect().await;
        // Not told of the process: it may still run, or not.
        peer.resume_silently(&session_id).await;
        let looking = async {
            loop {
                let record = record(&mut peer, "p").await;
                if record.state == ProcessState::Closed {
                    break record;
                }
            }
        };
        let record = within_patience("the close", looking).await;
        assert_eq!((record.exit_code, record.end_reason, record.ended_by), (Some(7), Some(EndReason::Disconnected), None));
        peer.finish().await;
    }
}
