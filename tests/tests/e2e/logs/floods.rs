//! A place in the code that has too much to say is counted instead.

use exec_server::limits::LOG_BURST;
use exec_tests::{on_program, program};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{hello, input, logging_to, nonsense, objects};

/// How often the same is said.
const TIMES: u64 = 10_000;

/// Each of them is in a line or in a count, and there is little more than a line for each second.
fn check(lines: &[Value], since: Instant) {
    let of_it: Vec<_> = lines
        .iter()
        .filter(|line| line["target"] == "exec_server::rpc::handlers::ack")
        .collect();
    let left_out: u64 = of_it.iter().filter_map(|line| line["left_out"].as_u64()).sum();
    let is_count = |line: &&&Value| {
        let message = line["message"].as_str().expect("a message is text");
        message.starts_with("more of these were left out: ")
    };
    let counts = of_it.iter().filter(is_count).count() as u64;
    let told = of_it.len() as u64;
    assert_eq!(told - counts + left_out, TIMES, "{lines:#?}");
    // The count at the end waits for nothing.
    let most = u64::from(LOG_BURST) + since.elapsed().as_secs() + 2;
    assert!(told <= most, "{told} lines, {most} at most");
    assert!(
        !lines.iter().any(|line| line["target"] == "exec_server::log"),
        "{lines:#?}"
    );
}

#[tokio::test]
async fn a_flood_on_stdio_is_counted() {
    let start = Instant::now();
    let mut messages = hello("t");
    messages.extend((0..TIMES).map(|_| nonsense()));
    messages.push(json!({"id": 2, "method": "server/info"}));
    let command = program::server(["--log", "debug", "--log-format", "json"]);
    let output = program::output(command, input(&messages)).await;
    assert!(output.status.success(), "{:?}", output.status);
    assert_eq!(program::messages(&output.stdout).len(), 2);
    check(&objects(&output.stderr), start);
}

#[tokio::test]
async fn a_flood_over_websocket_is_counted() {
    let start = Instant::now();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let command = logging_to(&path, &["--log", "debug", "--log-format", "json"]);
    on_program(command, async |server| {
        let mut peer = server.session().await;
        for _ in 0..TIMES {
            peer.send_text(nonsense().to_string()).await;
        }
        peer.call("server/info", json!({})).await;
        peer.finish().await;
    })
    .await;
    check(&objects(&std::fs::read(path).unwrap()), start);
}
