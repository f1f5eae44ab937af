//! The record of one process, from its start to its close.

use exec_protocol::Group;
use exec_protocol::process::{EndReason, ProcessState, StreamBytes};
use exec_tests::{Peer, TestServer, Wire, fixture, on_every_wire, with_peer};
use serde_json::{Value, json};

use super::{now_ms, record};
use crate::commands::{on_pipes, on_terminal, script, with, with_stdin};

/// What the system may be behind between two of its clocks, in milliseconds.
const CLOCK_STEP_MS: u64 = 20;

fn described(params: Value) -> Value {
    with(
        params,
        json!({
            "cwd": "/usr/bin", "title": "A title", "group": "a group",
            "labels": {"b": "2", "a": "1"}, "metadata": {"any": [1, null]},
        }),
    )
}

/// Checks that these moments follow each other.
fn in_order(moments: &[u64]) {
    let is_so = moments.windows(2).all(|pair| pair[0] <= pair[1] + CLOCK_STEP_MS);
    assert!(is_so, "not in order: {moments:?}");
}

on_every_wire! {
    async fn a_record_says_what_the_start_said_and_what_came_of_it(server: &TestServer) {
        let mut peer = server.connect().await;
        let containment = peer.handshake().await.containment;
        let before = now_ms();
        let started = peer.call("process/start", described(with_stdin("p", ["echo"]))).await;
        let asked = now_ms();
        let running = record(&mut peer, "p").await;
        assert_eq!((running.process_id.as_str(), running.title.as_deref()), ("p", Some("A title")));
        assert_eq!(json!(running.uid), started["uid"]);
        assert_eq!(json!(running.pid), started["pid"]);
        assert_eq!(json!(running.started_at_ms), started["startedAtMs"]);
        assert_eq!(running.group.as_ref().map(Group::as_str), Some("a group"));
        assert_eq!(json!(running.labels), json!({"a": "1", "b": "2"}));
        assert_eq!(running.metadata, Some(json!({"any": [1, null]})));
        assert_eq!(running.argv, fixture::argv(["echo"]));
        assert_eq!(json!(running.cwd), json!("file:///usr/bin"));
        assert_eq!((running.tty, running.size), (false, None));
        assert_eq!(Some(running.containment), containment);
        assert_eq!(running.state, ProcessState::Running);
        assert_eq!((running.exited_at_ms, running.closed_at_ms, running.exit_code), (None, None, None));
        assert_eq!((&running.signal, running.end_reason, &running.ended_by), (&None, None, &None));
        assert_eq!((running.bytes, running.retained_bytes), (StreamBytes::default(), 0));
        assert_eq!(running.last_output_at_ms, None);
        assert!(!running.incomplete && running.held_by.is_empty(), "{running:?}");
        in_order(&[before, running.started_at_ms, asked]);

        peer.write("p", "hello").await;
        peer.output_until("p", "hello").await;
        let spoken = record(&mut peer, "p").await;
        let bytes = StreamBytes { stdout: 5, ..StreamBytes::default() };
        assert_eq!((spoken.bytes, spoken.retained_bytes), (bytes, 5));
        in_order(&[asked, spoken.last_output_at_ms.expect("it has spoken"), now_ms()]);

        let ended = now_ms();
        peer.call("process/closeStdin", json!({"processId": "p"})).await;
        peer.output_until_closed("p").await;
        let closed = record(&mut peer, "p").await;
        assert_eq!(closed.state, ProcessState::Closed);
        assert_eq!((closed.exit_code, &closed.signal), (Some(0), &None));
        assert_eq!((closed.end_reason, &closed.ended_by), (Some(EndReason::Exited), &None));
        assert_eq!((closed.bytes, closed.retained_bytes), (bytes, 5));
        let (exited_at, closed_at) = (closed.exited_at_ms.expect("it has"), closed.closed_at_ms.expect("it is"));
        in_order(&[ended, exited_at, closed_at, now_ms()]);
        assert_eq!((&closed.uid, closed.pid, &closed.argv), (&running.uid, running.pid, &running.argv));
        peer.finish().await;
    }

    async fn between_exit_and_close_the_state_is_exited(peer: &mut Peer) {
        peer.start(on_pipes("p", ["hold-pipe", "100000", "never"])).await;
        peer.exited("p").await;
        let exited = record(peer, "p").await;
        assert_eq!(exited.state, ProcessState::Exited);
        assert_eq!((exited.exit_code, exited.end_reason), (Some(7), Some(EndReason::Exited)));
        assert!(exited.exited_at_ms.is_some() && exited.closed_at_ms.is_none(), "{exited:?}");
        peer.call("process/terminate", json!({"processId": "p"})).await;
        peer.output_until_closed("p").await;
        let closed = record(peer, "p").await;
        // Who was left behind was terminated; the program had ended by itself.
        assert_eq!((closed.state, closed.end_reason, closed.ended_by), (ProcessState::Closed, Some(EndReason::Exited), None));
    }

    async fn bytes_are_counted_by_stream(peer: &mut Peer) {
        peer.run(script("p", "printf 123; printf 12345 >&2")).await;
        let bytes = record(peer, "p").await.bytes;
        assert_eq!(bytes, StreamBytes { stdout: 3, stderr: 5, pty: 0 });
        peer.run(with(script("t", "printf 1234"), json!({"tty": true}))).await;
        let bytes = record(peer, "t").await.bytes;
        assert_eq!(bytes, StreamBytes { stdout: 0, stderr: 0, pty: 4 });
    }

    async fn what_was_dropped_is_counted_but_not_retained(peer: &mut Peer) {
        let params = json!({"retainBytes": 1 << 16});
        peer.run(with(on_pipes("p", ["emit", "1000000"]), params)).await;
        let record = record(peer, "p").await;
        assert_eq!(record.bytes.stdout, 1_000_000);
        assert!((1..=(1 << 16) + (320 << 10)).contains(&record.retained_bytes), "{}", record.retained_bytes);
    }

    async fn a_terminal_has_its_size_in_the_record_also_when_it_is_gone(peer: &mut Peer) {
        peer.start(with(on_terminal("t", ["size", "watch"]), json!({"size": {"rows": 10, "cols": 20}}))).await;
        let running = record(peer, "t").await;
        assert_eq!((running.tty, json!(running.size)), (true, json!({"rows": 10, "cols": 20})));
        peer.terminate("t").await;
        assert_eq!(json!(record(peer, "t").await.size), json!({"rows": 10, "cols": 20}));
    }

    async fn the_session_id_is_in_no_record(server: &TestServer) {
        let mut peer = server.connect().await;
        let session_id = peer.handshake().await.session_id;
        peer.start(described(with_stdin("p", ["echo"]))).await;
        for method in ["process/get", "process/list"] {
            let text = peer.call(method, json!({"processId": "p"})).await.to_string();
            assert!(text.contains("A title") && !text.contains(session_id.as_str()), "{method}: {text}");
        }
        if server.wire != Wire::Stdio {
            peer.start(with(with_stdin("k", ["echo"]), json!({"onDisconnect": "keep"}))).await;
            let mut other = server.session().await;
            let text = other.call("process/list", json!({"scope": "server"})).await.to_string();
            assert!(text.contains("\"k\"") && !text.contains(session_id.as_str()), "{text}");
            other.finish().await;
            peer.terminate("k").await;
        }
        peer.terminate("p").await;
        peer.finish().await;
    }

    async fn a_busy_child_has_used_the_processor(peer: &mut Peer) {
        peer.start(on_pipes("p", ["busy", "300"])).await;
        let so_far = record(peer, "p").await.cpu;
        peer.output_until("p", "computed").await;
        let total = |cpu: Option<exec_protocol::process::Usage>| {
            let cpu = cpu.expect("it is known here");
            cpu.user_ms + cpu.system_ms
        };
        let running = total(record(peer, "p").await.cpu);
        // The system counts in ticks.
        assert!(running >= 280 && running >= total(so_far), "{running} ms");
        let transcript = peer.terminate("p").await;
        let told = transcript.close.expect("it is closed").cpu;
        assert_eq!(told, record(peer, "p").await.cpu);
        assert!(total(told) >= running, "{told:?}, {running} ms before");
    }
}

/// A server in this process may be larger than the child, and then the system cannot tell them apart.
#[tokio::test]
async fn a_large_child_has_had_its_memory_whatever_started_its_server() {
    const BYTES: u64 = 64 << 20;
    let plausible = BYTES..2 * BYTES;
    // A system that counts what started the server to the server would call this the child's.
    let ballast = std::hint::black_box(vec![1_u8; 128 << 20]);
    for wire in [Wire::Stdio, Wire::Websocket] {
        with_peer(wire, async |peer| {
            peer.start(on_pipes("p", ["fill", &BYTES.to_string()])).await;
            peer.output_until("p", "filled").await;
            let running = record(peer, "p").await.max_rss_bytes.expect("it is known here");
            assert!(plausible.contains(&running), "{running}");
            let transcript = peer.terminate("p").await;
            let told = transcript.close.expect("it is closed").max_rss_bytes;
            assert!(told.is_some_and(|told| plausible.contains(&told)), "{told:?}");
            assert_eq!(told, record(peer, "p").await.max_rss_bytes);
        })
        .await;
    }
    drop(ballast);
}
