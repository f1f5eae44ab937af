//! The end of stdin is the end of a server on stdio. What was read before is answered first.

use exec_protocol::Blob;
use exec_tests::os::with_variable;
use exec_tests::wait::until;
use exec_tests::{fixture, program};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::process::{Child, ChildStdin};

/// What everything begins with.
fn hello() -> Vec<Value> {
    vec![
        json!({"id": 1, "method": "initialize", "params": {"clientName": "t"}}),
        json!({"method": "initialized"}),
    ]
}

fn lines(messages: &[Value]) -> String {
    let lines: Vec<_> = messages.iter().map(Value::to_string).collect();
    lines.join("\n") + "\n"
}

/// Says all that and ends the input at once; what the server says, which must leave as it should.
async fn converse(messages: &[Value]) -> Vec<Value> {
    let output = program::output(program::server([]), lines(messages)).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stderr, b"", "{output:?}");
    program::messages(&output.stdout)
}

/// The answer with this id, of which there must be one.
fn answer(messages: &[Value], id: u64) -> &Value {
    let answers: Vec<_> = messages.iter().filter(|message| message["id"] == id).collect();
    match answers[..] {
        [answer] => answer,
        _ => panic!("{id} was answered {} times: {messages:#?}", answers.len()),
    }
}

/// What was told of this process: its output, its exit code, and whether it was closed.
fn told(messages: &[Value], process_id: &str) -> (String, Option<i64>, bool) {
    let (mut text, mut code, mut is_closed) = (String::new(), None, false);
    for (at, message) in messages
        .iter()
        .filter(|message| message["params"]["processId"] == process_id)
        .enumerate()
    {
        let params = &message["params"];
        assert_eq!(params["seq"], at + 1, "{messages:#?}");
        match message["method"].as_str().expect("it is a notification") {
            "process/output" => {
                let Blob(bytes) = serde_json::from_value(params["chunk"].clone()).expect("it is base64");
                text.push_str(&String::from_utf8_lossy(&bytes));
            }
            "process/exited" => code = params["exitCode"].as_i64(),
            "process/closed" => is_closed = true,
            method => panic!("{method}"),
        }
    }
    (text, code, is_closed)
}

#[tokio::test]
async fn everything_that_was_read_is_answered_also_what_still_waits() {
    let mut input = hello();
    input.extend([
        json!({"id": 2, "method": "environment/info"}),
        json!({"id": 3, "method": "process/start", "params": {"processId": "short", "argv": ["/bin/echo", "hi"]}}),
        json!({"id": 4, "method": "process/start", "params": {"processId": "long", "argv": fixture::argv(["echo"]), "pipeStdin": true}}),
        json!({"id": 5, "method": "process/write", "params": {"processId": "long", "chunk": exec_tests::base64("typed\n")}}),
        json!({"id": 6, "method": "process/start", "params": {"processId": "bad", "argv": ["/no/such"]}}),
        json!({"id": 10, "method": "process/start", "params": {"processId": "quiet", "argv": ["/bin/sleep", "1000"]}}),
        json!({"id": 7, "method": "process/read", "params": {"processId": "quiet", "waitMs": 60_000}}),
        json!([{"id": 8, "method": "environment/info"}, {"id": 9, "method": "no/such"}]),
    ]);
    let said = converse(&input).await;
    assert!(answer(&said, 1)["result"]["sessionId"].is_string());
    assert!(answer(&said, 2)["result"]["cwd"].is_string());
    assert_eq!(answer(&said, 3)["result"]["processId"], "short");
    assert_eq!(answer(&said, 4)["result"]["processId"], "long");
    assert_eq!(answer(&said, 5)["result"]["status"], "accepted");
    assert_eq!(answer(&said, 6)["error"]["data"]["kind"], "programNotFound");
    // It was waiting when the process was ended, and that is something to read.
    assert_eq!(answer(&said, 7)["result"]["exited"], true, "{said:#?}");
    assert_eq!(told(&said, "quiet"), (String::new(), Some(128 + 15), true));
    assert_eq!(said.iter().filter(|message| message.is_array()).count(), 1);
    assert_eq!(told(&said, "short"), ("hi\n".into(), Some(0), true));
    assert_eq!(told(&said, "long"), ("typed\n".into(), Some(128 + 15), true));
    assert_eq!(told(&said, "bad"), (String::new(), None, false));
}

#[tokio::test]
async fn a_read_that_comes_to_its_end_in_time_is_not_broken_off() {
    let mut input = hello();
    input.extend([
        json!({"id": 2, "method": "process/start", "params": {"processId": "p", "argv": ["/bin/sh", "-c", "sleep 0.1; echo late"], "env": {"PATH": "/usr/bin:/bin"}}}),
        json!({"id": 3, "method": "process/read", "params": {"processId": "p", "waitMs": 60_000}}),
    ]);
    let said = converse(&input).await;
    assert_eq!(
        answer(&said, 3)["result"]["chunks"][0]["chunk"],
        exec_tests::base64("late\n")
    );
    let (text, _, is_closed) = told(&said, "p");
    assert_eq!((text.as_str(), is_closed), ("late\n", true));
}

#[tokio::test]
async fn processes_are_asked_first_and_killed_then() {
    let marker = format!("end-of-input-{}", std::process::id());
    let env = json!({"PATH": "/usr/bin:/bin", "EXEC_TESTS_MARKER": marker});
    let polite = "exec 2>/dev/null; trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 1; done";
    let stubborn = "trap '' TERM HUP; echo ready; while :; do sleep 1; done";
    let mut running = program::Running::start(program::server([]));
    let mut input = hello();
    input.extend([
        json!({"id": 2, "method": "process/start", "params": {"processId": "polite", "argv": ["/bin/sh", "-c", polite], "env": env}}),
        json!({"id": 3, "method": "process/start", "params": {"processId": "stubborn", "argv": ["/bin/sh", "-c", stubborn], "env": env}}),
        json!({"id": 4, "method": "process/start", "params": {"processId": "terminal", "argv": ["/bin/sh", "-c", stubborn], "env": env, "tty": true}}),
    ]);
    running.write(lines(&input)).await;
    // Each has said that it is ready.
    for chunk in [
        ["polite", "ready\n"],
        ["stubborn", "ready\n"],
        ["terminal", "ready\r\n"],
    ] {
        let [id, text] = chunk;
        running
            .stdout_until(&format!(r#""processId":"{id}","seq":1,"#))
            .await;
        running.stdout_until(&exec_tests::base64(text)).await;
    }
    running.close_stdin();
    let output = running.output().await;
    assert!(output.status.success(), "{output:?}");
    let said = program::messages(&output.stdout);
    assert_eq!(told(&said, "polite"), ("ready\nbye\n".into(), Some(3), true));
    assert_eq!(told(&said, "stubborn"), ("ready\n".into(), Some(128 + 9), true));
    assert_eq!(told(&said, "terminal"), ("ready\r\n".into(), Some(128 + 9), true));
    let marker = format!("EXEC_TESTS_MARKER={marker}");
    until("nothing is left", || with_variable(&marker).is_empty()).await;
}

#[tokio::test]
async fn a_signal_behind_the_end_of_input_kills_at_once_and_the_server_leaves_well() {
    let mut running = program::Running::start(program::server([]));
    let mut input = hello();
    input.push(json!({"id": 2, "method": "process/start", "params": {"processId": "p", "argv": fixture::argv(["name-signals"])}}));
    running.write(lines(&input)).await;
    running.stdout_until(&exec_tests::base64("ready\n")).await;
    running.close_stdin();
    running.stdout_until(&exec_tests::base64("SIGTERM\n")).await;
    running.signal(Signal::TERM);
    running.signal(Signal::INT);
    let output = running.output().await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(told(&program::messages(&output.stdout), "p").1, Some(128 + 9));
}

/// A server whose output nobody reads, its stdin, and a process that it runs, by its variable.
async fn unread_server(name: &str, argv: &[&str]) -> (Child, ChildStdin, String) {
    let marker = format!("{name}-{}", std::process::id());
    let mut command = program::server([]);
    command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true);
    let mut server = command.spawn().expect("it can be started");
    let mut stdin = server.stdin.take().expect("stdin is piped");
    let mut input = hello();
    let env = json!({"EXEC_TESTS_MARKER": marker});
    input.push(
        json!({"id": 2, "method": "process/start", "params": {"processId": "p", "argv": argv, "env": env}}),
    );
    tokio::io::AsyncWriteExt::write_all(&mut stdin, lines(&input).as_bytes())
        .await
        .expect("it reads");
    let variable = format!("EXEC_TESTS_MARKER={marker}");
    until("the process is there", || !with_variable(&variable).is_empty()).await;
    (server, stdin, variable)
}

/// The server leaves, and nothing of what it ran is left.
async fn leaves(mut server: Child, variable: &str) {
    let status = exec_tests::wait::within_patience("the server to leave", server.wait()).await;
    status.expect("nobody else waits for it");
    until("nothing is left", || with_variable(variable).is_empty()).await;
}

#[tokio::test]
async fn a_client_that_reads_nothing_does_not_keep_the_server() {
    // More than pipes and queues hold, so that the server cannot write what it has to say.
    let (server, stdin, variable) = unread_server("nobody-reads", &["/usr/bin/yes"]).await;
    drop(stdin);
    leaves(server, &variable).await;
}

#[tokio::test]
async fn a_client_that_is_gone_altogether_does_not_keep_the_server() {
    let (mut server, stdin, variable) = unread_server("nobody-there", &["/bin/sleep", "1000"]).await;
    drop((stdin, server.stdout.take()));
    leaves(server, &variable).await;
}
