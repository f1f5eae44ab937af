//! A command prints while nobody is there.

use std::fs;

use exec_protocol::process::ReadResult;
use exec_tests::wait::until;
use exec_tests::websocket::RawWebsocket;
use exec_tests::{Wire, blocks, fixture, on};
use serde_json::json;

use super::{call, open, resume};

/// How much it prints meanwhile, in bytes.
const AWAY_BYTES: usize = 256 << 10;

/// What it prints before.
const BEFORE: &[u8] = b"before\n";

/// When the file `$1` is there, prints so many bytes as `$3` says, makes the file `$2`, and ends.
const PRINT_WHEN_AWAY: &str =
    r#"echo before; until [ -e "$1" ]; do sleep 0.01; done; "$0" blocks "$3"; : >"$2"; exit 6"#;

/// Reads behind this number until the process is closed, and returns the bytes. The exit and the close follow them, and
/// no number is left out.
async fn read_to_the_end(client: &mut RawWebsocket, mut after: u64) -> Vec<u8> {
    let mut all = Vec::new();
    for id in 2.. {
        // Several pages of several chunks each.
        let params = json!({"processId": "p", "afterSeq": after, "maxBytes": 60_000, "waitMs": 30_000});
        let page = call(client, id, "process/read", params).await;
        assert!(page.get("gap").is_none_or(serde_json::Value::is_null), "{page}");
        let result: ReadResult = serde_json::from_value(page).expect("it is one");
        for chunk in &result.chunks {
            assert_eq!(chunk.seq.0, after + 1, "a hole in what is read");
            after = chunk.seq.0;
            all.extend_from_slice(&chunk.chunk.0);
        }
        if result.closed && result.chunks.is_empty() {
            assert_eq!(result.exit_code, Some(6));
            assert_eq!(result.next_seq.0, after + 1);
            return all;
        }
        if result.next_seq.0 > after + 1 {
            // What is no chunk is the exit, or the exit and the close.
            assert!(
                result.exited && result.next_seq.0 <= after + 3,
                "{after}: {result:?}"
            );
            after = result.next_seq.0 - 1;
        }
    }
    unreachable!("numbers do not end")
}

#[tokio::test]
async fn what_a_command_prints_while_the_connection_is_cut_is_read_to_the_byte() {
    on(Wire::Websocket, async |server| {
        let directory = tempfile::tempdir().expect("there is room for a directory");
        let (go, done) = (directory.path().join("go"), directory.path().join("done"));
        let (mut client, session_id) = open(server).await;
        let bytes = AWAY_BYTES.to_string();
        let argv = json!(["/bin/sh", "-c", PRINT_WHEN_AWAY, fixture::path(), go, done, bytes]);
        let env = json!({"PATH": "/usr/bin:/bin"});
        let start = json!({"processId": "p", "argv": argv, "env": env});
        client
            .send_bytes(&super::request(2, "process/start", &start))
            .await;
        // The answer may come before or behind what is told.
        let mut seen = None;
        let mut is_answered = false;
        while seen.is_none() || !is_answered {
            let message = client.next().await;
            if message["method"] == "process/output" {
                assert_eq!(message["params"]["chunk"], exec_tests::base64(BEFORE));
                seen = message["params"]["seq"].as_u64();
            } else {
                assert_eq!(message["result"]["processId"], "p", "{message}");
                is_answered = true;
            }
        }
        client.reset();
        fs::write(&go, "").expect("the directory is there");
        until("all was printed", || done.exists()).await;

        let seen = seen.expect("the loop is over");
        let mut client = resume(server, &session_id).await;
        let read = read_to_the_end(&mut client, seen).await;
        assert_eq!(read.len(), AWAY_BYTES);
        blocks::check(0, &read);
        // And from the beginning, for one that has forgotten.
        let read = read_to_the_end(&mut client, 0).await;
        let (before, read) = read.split_at(BEFORE.len());
        assert_eq!((before, read.len()), (BEFORE, AWAY_BYTES));
        blocks::check(0, read);
    })
    .await;
}
