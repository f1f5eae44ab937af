//! Nothing is lost and nothing typed twice by a connection that breaks in mid-stream.

use std::fs;

use exec_client::Transport;
use exec_protocol::ErrorKind;
use exec_protocol::process::{Read, ReadParams};
use exec_protocol::{Blob, ProcessId, Seq, SessionId};
use exec_tests::proxy::Proxy;
use exec_tests::wait::{self, within_patience};
use exec_tests::{Peer, TestServer, base64, fixture, on_wires};
use serde_json::{Value, json};

use super::Line;
use crate::witness;

/// What the process says while nobody listens, in bytes: more than its pipe holds, less than is kept.
const AWAY_BYTES: usize = 900_000;

/// What a pipe holds, in bytes, when the server has found it full and let it grow.
const PIPE_BYTES: usize = 256 << 10;

/// Says `AWAY_BYTES` when the file `$1` is there, makes the file `$2`, and echoes from then on.
const SPEAK_WHEN_AWAY: &str =
    r#"until [ -e "$1" ]; do sleep 0.01; done; "$0" emit "$3"; : >"$2"; exec "$0" echo"#;

/// Reads everything behind this number, and checks that the numbers have no hole.
async fn read_all(peer: &mut Peer, process_id: &str, mut after: u64) -> (Vec<u8>, u64) {
    let mut all = Vec::new();
    loop {
        let process_id = ProcessId::new(process_id).expect("a short name");
        let params = ReadParams {
            max_bytes: Some(100_000),
            ..ReadParams::after_seq(process_id, Seq(after))
        };
        let page = peer.call_typed::<Read>(&params).await;
        if page.chunks.is_empty() {
            return (all, after);
        }
        for chunk in page.chunks {
            assert_eq!(chunk.seq.0, after + 1, "a hole in what is read");
            after = chunk.seq.0;
            let Blob(bytes) = chunk.chunk;
            all.extend_from_slice(&bytes);
        }
        // Behind the output there may be the exit and the close, which are no chunks.
        assert!(page.next_seq.0 > after, "{} {after}", page.next_seq.0);
    }
}

fn records(bytes: usize) -> Vec<u8> {
    let mut all: Vec<u8> = (0..=bytes / 16)
        .flat_map(|record| format!("{record:015}\n").into_bytes())
        .collect();
    all.truncate(bytes);
    all
}

async fn write(
    peer: &mut Peer,
    process_id: &str,
    text: &str,
    write_id: &str,
) -> Result<Value, Option<ErrorKind>> {
    let params = json!({"processId": process_id, "chunk": base64(text), "writeId": write_id});
    peer.try_call("process/write", params)
        .await
        .map_err(|error| error.kind())
}

async fn accepted(peer: &mut Peer, process_id: &str, text: &str, write_id: &str) {
    let written = write(peer, process_id, text, write_id).await;
    assert_eq!(written.unwrap()["status"], "accepted", "{write_id}");
}

/// Sends writes until the connection is cut behind them, and returns the session.
async fn cut_behind_a_write(line: &Line<'_>, mut peer: Peer, session_id: SessionId, write_id: &str) -> Peer {
    let params =
        json!({"processId": witness::NAME, "chunk": base64(format!("{write_id}\n")), "writeId": write_id});
    peer.request("process/write", params).await;
    line.cut(peer);
    line.resume(&session_id).await
}

on_wires! {
    [memory, websocket]
    async fn what_was_said_meanwhile_is_read_without_a_hole_and_not_told_again(server: &TestServer) {
        let line = Line::to(server).await;
        let (mut peer, session_id) = line.open().await;
        let directory = tempfile::tempdir().expect("there is room for a directory");
        let (go, done) = (directory.path().join("go"), directory.path().join("done"));
        let argv = json!(["/bin/sh", "-c", SPEAK_WHEN_AWAY, fixture::path(), go, done, AWAY_BYTES.to_string()]);
        peer.start(json!({"processId": "p", "argv": argv, "pipeStdin": true, "env": {"PATH": "/usr/bin:/bin"}})).await;
        line.cut(peer);

        fs::write(&go, "").expect("the directory is there");
        wait::until("everything was said", || done.exists()).await;
        let mut peer = line.resume(&session_id).await;
        accepted(&mut peer, "p", "back\n", "1").await;
        // From wherever notifications begin, they go on to this.
        let first = peer.claim("a notification", |message| message["params"]["processId"] == "p").await;
        let first_seq = first["params"]["seq"].as_u64().expect("a seq is a number");
        peer.follow("p", first_seq);
        let mut told: Blob = serde_json::from_value(first["params"]["chunk"].clone()).expect("it is output");
        if !told.0.ends_with(b"back\n") {
            peer.output_until("p", "back\n").await;
            told = Blob::from([&told.0[..], &peer.transcript("p").output()].concat());
        }
        // What was taken from the pipe before we were back is not told, only read.
        assert!(told.0.len() <= PIPE_BYTES + 5, "{} bytes were told again", told.0.len());
        let (read, last) = read_all(&mut peer, "p", 0).await;
        assert_eq!(read, [&records(AWAY_BYTES)[..], b"back\n"].concat());
        assert_eq!(last, peer.transcript("p").last_seq, "what is told and what is read end together");
        assert!(read.ends_with(&told.0), "what is told is the end of what is read");
        peer.terminate("p").await;
        peer.finish().await;
    }

    [websocket]
    async fn a_connection_that_breaks_in_mid_stream_loses_no_byte(server: &TestServer) {
        // Each is more than the answer to `initialize` takes, and less than all that follows.
        for budget in [2500, 10_000, 100_000, 444_444] {
            let proxy = Proxy::start(server.url(), vec![budget]).await;
            let transport = within_patience("a connection", Transport::websocket(proxy.url())).await;
            let mut peer = Peer::new(transport.expect("the proxy listens"));
            let session_id = peer.handshake().await.session_id;
            let id = budget.to_string();
            let argv = fixture::argv(["emit", &AWAY_BYTES.to_string()]);
            // The connection may break before the answer.
            peer.request("process/start", json!({"processId": id, "argv": argv})).await;
            peer.hung_up().await;
            peer.take_events(&id);
            let told = peer.transcript(&id).clone();
            peer.hang_up();
            assert!(told.stdout.len() < AWAY_BYTES, "it did not break in mid-stream");

            let mut peer = server.connect().await;
            peer.resume(&session_id).await;
            let read = json!({"processId": id, "afterSeq": told.last_seq, "waitMs": 60_000});
            peer.call("process/read", read).await;
            wait_for_close(&mut peer, &id).await;
            let (rest, _) = read_all(&mut peer, &id, told.last_seq).await;
            assert_eq!([told.stdout, rest].concat(), records(AWAY_BYTES), "after {} of {budget}", told.last_seq);
            peer.hang_up();
        }
    }

    [memory, websocket]
    async fn a_cursor_from_before_the_cut_is_good_behind_it(server: &TestServer) {
        let line = Line::to(server).await;
        let (mut peer, session_id) = line.open().await;
        witness::start(&mut peer).await;
        for round in 0..5 {
            witness::answers(&mut peer, &format!("round {round}")).await;
            let seen = peer.transcript(witness::NAME).last_seq;
            peer.request("process/write", json!({"processId": witness::NAME, "chunk": base64("at the cut\n"), "writeId": format!("cut {round}")})).await;
            line.cut(peer);
            peer = line.resume(&session_id).await;
            accepted(&mut peer, witness::NAME, "at the cut\n", &format!("cut {round}")).await;
            // The echo comes while we are away or afterwards, once and behind what was seen.
            let mut all = String::new();
            let mut after = seen;
            while !all.contains("cut\n") {
                let read = peer.call("process/read", json!({"processId": witness::NAME, "afterSeq": after, "waitMs": 60_000})).await;
                for chunk in read["chunks"].as_array().expect("chunks are an array") {
                    assert_eq!(chunk["seq"], after + 1, "a hole in what is read");
                    after += 1;
                    let bytes: Blob = serde_json::from_value(chunk["chunk"].clone()).expect("it is base64");
                    all.push_str(&String::from_utf8_lossy(&bytes.0));
                }
            }
            assert_eq!(all, "at the cut\n");
            // What was told since is in it. The rest follows from here.
            while let Some(event) = told_by_now(&mut peer).await {
                assert!((seen + 1..=after).contains(&event), "{event} was told, {seen} seen, {after} read");
            }
            peer.follow(witness::NAME, after);
        }
        witness::end(&mut peer).await;
        peer.finish().await;
    }

    [memory, websocket]
    async fn a_repeated_write_is_typed_once_across_the_cut(server: &TestServer) {
        let line = Line::to(server).await;
        let (mut peer, session_id) = line.open().await;
        witness::start(&mut peer).await;
        accepted(&mut peer, witness::NAME, "before\n", "before").await;
        peer.output_until(witness::NAME, "before\n").await;
        let mut expected = String::from("before\n");
        for round in 0..10 {
            let write_id = format!("lost {round}");
            peer = cut_behind_a_write(&line, peer, session_id.clone(), &write_id).await;
            accepted(&mut peer, witness::NAME, &format!("{write_id}\n"), &write_id).await;
            expected.extend([write_id.as_str(), "\n"]);
        }
        accepted(&mut peer, witness::NAME, "before\n", "before").await;
        let reused = write(&mut peer, witness::NAME, "other bytes\n", "before").await;
        assert_eq!(reused, Err(Some(ErrorKind::WriteIdReused)));
        peer.call("process/closeStdin", json!({"processId": witness::NAME})).await;
        peer.claim("the close", |message| message["method"] == "process/closed").await;
        let (read, _) = read_all(&mut peer, witness::NAME, 0).await;
        assert_eq!(String::from_utf8_lossy(&read), expected);
        peer.hang_up();
    }

    [memory, websocket]
    async fn a_process_that_ended_is_readable_behind_the_cut(server: &TestServer) {
        let line = Line::to(server).await;
        let (mut peer, session_id) = line.open().await;
        let directory = tempfile::tempdir().expect("there is room for a directory");
        let go = directory.path().join("go");
        let before = peer.run(json!({"processId": "before", "argv": ["/bin/sh", "-c", "echo before; exit 3"]})).await;
        assert_eq!(before.exit_code, Some(3));
        let script = r#"until [ -e "$0" ]; do sleep 0.01; done; echo meanwhile; exit 4"#;
        let marker = format!("EXEC_TESTS_MARKER={}", go.display());
        let env = json!({"PATH": "/usr/bin:/bin", "EXEC_TESTS_MARKER": go});
        peer.start(json!({"processId": "meanwhile", "argv": ["/bin/sh", "-c", script, go], "env": env})).await;
        line.cut(peer);
        fs::write(&go, "").expect("the directory is there");
        wait::until("it has ended", || exec_tests::os::with_variable(&marker).is_empty()).await;
        let mut peer = line.resume(&session_id).await;
        for (process_id, code) in [("before", 3), ("meanwhile", 4)] {
            let mut read = json!({});
            let mut after = 0;
            let mut all = Vec::new();
            while read["closed"] != true || read["chunks"] != json!([]) {
                read = peer.call("process/read", json!({"processId": process_id, "afterSeq": after, "waitMs": 60_000})).await;
                after = read["nextSeq"].as_u64().expect("a number") - 1;
                for chunk in read["chunks"].as_array().expect("chunks are an array") {
                    let bytes: Blob = serde_json::from_value(chunk["chunk"].clone()).expect("it is base64");
                    all.extend_from_slice(&bytes.0);
                }
            }
            assert_eq!(String::from_utf8_lossy(&all), format!("{process_id}\n"));
            assert_eq!((&read["exited"], &read["exitCode"]), (&json!(true), &json!(code)), "{process_id}");
            let refused = peer.refused("process/start", json!({"processId": process_id, "argv": ["/bin/echo"]})).await;
            assert_eq!(refused.kind(), Some(ErrorKind::DuplicateProcess));
        }
        peer.hang_up();
    }
}

async fn wait_for_close(peer: &mut Peer, process_id: &str) {
    let mut after = 0;
    loop {
        let read = json!({"processId": process_id, "afterSeq": after, "waitMs": 60_000});
        let read = peer.call("process/read", read).await;
        if read["closed"] == true {
            return;
        }
        after = read["nextSeq"].as_u64().expect("a number") - 1;
    }
}

/// The number of an event of the witness that was told by now, which an answer to us is behind of.
async fn told_by_now(peer: &mut Peer) -> Option<u64> {
    let id = peer.request("environment/info", Value::Null).await;
    let message = peer
        .claim("a notification or the answer", |message| {
            message["id"] == id || message["params"]["processId"] == witness::NAME
        })
        .await;
    if message["id"] == id {
        return None;
    }
    peer.response(id).await.expect("it is answered");
    message["params"]["seq"].as_u64()
}
