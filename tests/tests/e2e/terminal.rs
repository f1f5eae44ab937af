//! Processes on a terminal of their own.

use std::time::Duration;

use exec_tests::{Peer, TestServer, on_every_wire, on_wires};
use serde_json::json;

use crate::commands::{on_pipes, on_terminal, script, with};

on_every_wire! {
    async fn a_terminal_is_the_controlling_terminal_of_its_leader(peer: &mut Peer) {
        let transcript = peer.run(on_terminal("p", ["terminal"])).await;
        assert_eq!(transcript.text(), "controlling terminal, leads session: true, foreground: true\r\n");
        assert_eq!(transcript.pty, transcript.output());
        let transcript = peer.run(on_pipes("q", ["terminal"])).await;
        assert_eq!((transcript.exit_code, transcript.stdout), (Some(1), vec![]), "on pipes there is none");
    }

    async fn a_terminal_has_the_size_that_was_asked_or_24_by_80(peer: &mut Peer) {
        assert_eq!(peer.run(on_terminal("p", ["size"])).await.text(), "size 24 80\r\n");
        for (rows, cols) in [(50, 132), (1, 1), (10_000, 10_000)] {
            let id = format!("{rows}x{cols}");
            let params = with(on_terminal(&id, ["size"]), json!({"size": {"rows": rows, "cols": cols}}));
            assert_eq!(peer.run(params).await.text(), format!("size {rows} {cols}\r\n"));
        }
    }

    async fn a_resize_raises_sigwinch_and_is_seen(peer: &mut Peer) {
        peer.start(on_terminal("p", ["size", "watch"])).await;
        peer.output_until("p", "size 24 80\r\n").await;
        for (rows, cols) in [(30, 100), (10_000, 1)] {
            let params = json!({"processId": "p", "size": {"rows": rows, "cols": cols}});
            assert_eq!(peer.call("process/resize", params).await, json!({}));
            peer.output_until("p", &format!("size {rows} {cols}\r\n")).await;
        }
        peer.terminate("p").await;
    }

    async fn sizes_out_of_range_are_refused(peer: &mut Peer) {
        peer.start(on_terminal("p", ["size", "watch"])).await;
        peer.output_until("p", "size 24 80\r\n").await;
        for (rows, cols) in [(0, 80), (24, 0), (10_001, 80), (24, 10_001), (-1, 80), (65_536 + 24, 80)] {
            let size = json!({"rows": rows, "cols": cols});
            let error = peer.refused("process/resize", json!({"processId": "p", "size": size})).await;
            assert_eq!((error.code, &error.data.kind[..]), (-32602, "invalidParams"), "{size}");
            let error = peer.refused("process/start", with(on_terminal("q", ["size"]), json!({"size": size}))).await;
            assert_eq!((error.code, &error.data.kind[..]), (-32602, "invalidParams"), "{size}");
        }
        for size in [json!(null), json!({"rows": 24}), json!("24x80")] {
            let error = peer.refused("process/resize", json!({"processId": "p", "size": size})).await;
            assert_eq!(error.data.kind, "invalidParams", "{size}");
        }
        assert_eq!(peer.terminate("p").await.text(), "size 24 80\r\n", "nothing was resized");
    }

    async fn a_process_on_pipes_has_no_size(peer: &mut Peer) {
        peer.start(on_pipes("p", ["never-read"])).await;
        let size = json!({"rows": 30, "cols": 100});
        let error = peer.refused("process/resize", json!({"processId": "p", "size": size})).await;
        assert_eq!((error.code, &error.data.kind[..]), (-32602, "invalidParams"));
        peer.terminate("p").await;
        let error = peer.refused("process/start", with(on_pipes("q", ["size"]), json!({"size": size}))).await;
        assert_eq!((error.code, &error.data.kind[..], error.data.field.as_deref()), (-32602, "invalidParams", Some("size")));
    }

    async fn close_stdin_on_a_canonical_terminal_ends_cat(peer: &mut Peer) {
        peer.start(with(script("p", "stty -echo; echo ready; exec cat"), json!({"tty": true}))).await;
        peer.output_until("p", "ready").await;
        assert_eq!(peer.write("p", "line\n").await, "accepted");
        assert_eq!(peer.call("process/closeStdin", json!({"processId": "p"})).await, json!({"closed": true}));
        let transcript = peer.output_until_closed("p").await;
        assert_eq!((transcript.text().as_str(), transcript.exit_code), ("ready\r\nline\r\n", Some(0)));
    }

    async fn eof_on_a_canonical_terminal_ends_cat(peer: &mut Peer) {
        peer.start(with(script("p", "stty -echo; echo ready; exec cat"), json!({"tty": true}))).await;
        peer.output_until("p", "ready").await;
        let params = json!({"processId": "p", "chunk": exec_tests::base64("line\n"), "eof": true});
        assert_eq!(peer.call("process/write", params).await["status"], "accepted");
        let transcript = peer.output_until_closed("p").await;
        assert_eq!((transcript.text().as_str(), transcript.exit_code), ("ready\r\nline\r\n", Some(0)));
    }

    async fn a_raw_terminal_has_no_end_of_file(peer: &mut Peer) {
        peer.start(with(script("p", "stty raw -echo; echo ready; exec cat"), json!({"tty": true}))).await;
        peer.output_until("p", "ready").await;
        assert_eq!(peer.call("process/closeStdin", json!({"processId": "p"})).await, json!({"closed": false}));
        // It goes on, and was given no character.
        assert_eq!(peer.write("p", "still here").await, "accepted");
        peer.output_until("p", "still here").await;
        assert_eq!(peer.terminate("p").await.text(), "ready\nstill here");
    }

    async fn a_terminal_hangs_up_on_what_its_leader_left_behind(peer: &mut Peer) {
        let params = with(script("p", "sleep 1000 & echo pid $!"), json!({"tty": true}));
        let transcript = peer.run(params).await;
        let text = transcript.text();
        let pid = text.trim().strip_prefix("pid ").and_then(|pid| pid.parse().ok()).unwrap();
        if let Some(process) = exec_tests::os::OsProcess::with_pid(pid) {
            process.ended().await;
        }
    }
}

/// How long the server is watched. It has nothing to do meanwhile.
const WATCHED: Duration = Duration::from_millis(500);

on_wires! {
    [stdio, websocket]
    async fn a_terminal_that_nobody_holds_costs_nothing_until_its_leader_takes_it_up_again(server: &TestServer) {
        let mut peer = server.session().await;
        let script = r#"tty=$(tty); exec <&- >&- 2>&-; until [ -e "$0" ]; do sleep 0.01; done; echo back >"$tty""#;
        let directory = tempfile::tempdir().expect("a directory can be made");
        let go = directory.path().join("go");
        let argv = ["/bin/sh", "-c", script, go.to_str().expect("the directory is UTF-8")];
        peer.start(json!({"processId": "p", "argv": argv, "tty": true, "envPolicy": {}})).await;
        let process = server.process().expect("the server has a process of its own");
        let before = process.processor_time().expect("the server runs");
        tokio::time::sleep(WATCHED).await;
        let used = process.processor_time().expect("the server runs").saturating_sub(before);
        assert!(used < WATCHED / 2, "the server was busy for {used:?} of {WATCHED:?}");
        std::fs::write(&go, "").expect("a file can be made");
        let transcript = peer.output_until_closed("p").await;
        assert_eq!(transcript.pty, b"back\r\n");
        peer.finish().await;
    }
}
