//! An answer is lost with its connection, and the request comes again.

use std::fs;
use std::path::Path;

use exec_tests::wait::until;
use exec_tests::{TestServer, Wire, base64, on};
use serde_json::{Value, json};

use super::{call, open, request, resume};

/// How much of a write the server gets before the cut.
#[derive(Debug, Clone, Copy)]
enum Got {
    /// All, and the program has read it.
    All,
    /// All, and that is all that is known.
    AllPerhaps,
    /// Nothing.
    Nothing,
    /// Half of the frame.
    Half,
}

/// A line for each round, which goes into the file `$0`.
const INTO_FILE: &str = r#"exec cat >>"$0""#;

fn write(round: usize) -> Value {
    let line = format!("line {round}\n");
    json!({"processId": "p", "chunk": base64(line), "writeId": round.to_string()})
}

async fn contains(file: &Path, text: &str) {
    let has_it = || fs::read_to_string(file).is_ok_and(|content| content.contains(text));
    until(&format!("{text:?} was typed"), has_it).await;
}

/// Cuts the connection at one write after the other, and repeats each of them on the next one.
async fn writes_are_typed_once(server: &TestServer, tty: bool) {
    let directory = tempfile::tempdir().expect("there is room for a directory");
    let file = directory.path().join("typed");
    let (mut client, session_id) = open(server).await;
    let argv = json!(["/bin/sh", "-c", INTO_FILE, file]);
    let env = json!({"PATH": "/usr/bin:/bin"});
    let start = json!({"processId": "p", "argv": argv, "env": env, "tty": tty, "pipeStdin": true});
    call(&mut client, 2, "process/start", start).await;

    let mut expected = String::new();
    let ways = [Got::All, Got::Nothing, Got::Half, Got::AllPerhaps];
    for (round, got) in ways.into_iter().cycle().take(12).enumerate() {
        let frame = request(3, "process/write", &write(round));
        let line = format!("line {round}\n");
        match got {
            Got::All => {
                client.send_bytes(&frame).await;
                contains(&file, &line).await;
            }
            Got::AllPerhaps => client.send_bytes(&frame).await,
            Got::Nothing => {}
            Got::Half => client.send_bytes(&frame[..frame.len() / 2]).await,
        }
        client.reset();
        client = resume(server, &session_id).await;
        for id in [2, 3] {
            let written = call(&mut client, id, "process/write", write(round)).await;
            assert_eq!(written["status"], "accepted", "{got:?}");
        }
        expected.push_str(&line);
        contains(&file, &line).await;
        assert_eq!(
            fs::read_to_string(&file).expect("it is there"),
            expected,
            "{got:?}"
        );
    }
    // What was typed once stays so, also if it comes again much later.
    assert_eq!(
        call(&mut client, 4, "process/write", write(0)).await["status"],
        "accepted"
    );
    let closed = call(&mut client, 5, "process/closeStdin", json!({"processId": "p"})).await;
    assert_eq!(closed, json!({"closed": true}));
    loop {
        let message = client.next().await;
        if message["method"] == "process/closed" {
            break;
        }
    }
    assert_eq!(fs::read_to_string(&file).expect("it is there"), expected);
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_typed_once_into_a_pipe() {
    on(Wire::Websocket, async |server| {
        writes_are_typed_once(server, false).await;
    })
    .await;
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_typed_once_into_a_terminal() {
    on(Wire::Websocket, async |server| {
        writes_are_typed_once(server, true).await;
    })
    .await;
}

#[tokio::test]
async fn a_start_whose_answer_is_lost_is_told_to_have_happened() {
    on(Wire::Websocket, async |server| {
        let directory = tempfile::tempdir().expect("there is room for a directory");
        let file = directory.path().join("starts");
        let (mut client, session_id) = open(server).await;
        let argv = json!(["/bin/sh", "-c", r#"echo started >>"$0"; exec cat"#, file]);
        let env = json!({"PATH": "/usr/bin:/bin"});
        let start = json!({"processId": "p", "argv": argv, "env": env, "pipeStdin": true});
        client.send_bytes(&request(2, "process/start", &start)).await;
        contains(&file, "started\n").await;
        client.reset();
        let mut client = resume(server, &session_id).await;
        client.send_bytes(&request(2, "process/start", &start)).await;
        let answer = client.answer(2).await;
        assert_eq!(answer["error"]["data"]["kind"], "duplicateProcess", "{answer}");
        let ended = call(&mut client, 3, "process/terminate", json!({"processId": "p"})).await;
        assert_eq!(ended["running"], true);
        assert_eq!(fs::read_to_string(&file).expect("it is there"), "started\n");
    })
    .await;
}
