//! Logs: one line for each thing that is said, whoever had a hand in it; a flood is counted; and nobody is held up by whoever
//! does not read them. There is a log only where the server is a program of its own.

mod floods;
mod lines;
mod stderr;

use std::path::Path;

use exec_tests::fixture;
use serde_json::{Value, json};
use tokio::process::Command;

/// Becomes the program with its standard error somewhere else.
const WITH_LOG: &str = r#"log=$1; shift; exec "$@" 2>>"$log""#;

/// The server's binary, which logs to this file.
fn logging_to(path: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", WITH_LOG, "sh"]).arg(path);
    command.arg(fixture::program("exec-server-under-test"));
    command.args(arguments);
    command
}

/// The beginning of a conversation on stdio, by a client of this name.
fn hello(client_name: &str) -> Vec<Value> {
    vec![
        json!({"id": 1, "method": "initialize", "params": {"clientName": client_name}}),
        json!({"method": "initialized"}),
    ]
}

/// A notification that makes no sense, for which the server has one line at `debug`.
fn nonsense() -> Value {
    json!({"method": "process/ack", "params": {"processId": "p", "seq": "many"}})
}

fn input(messages: &[Value]) -> String {
    let lines: Vec<_> = messages.iter().map(Value::to_string).collect();
    lines.join("\n") + "\n"
}

/// The lines of a log that has ended, each an object.
fn objects(log: &[u8]) -> Vec<Value> {
    let log = std::str::from_utf8(log).expect("a log is text");
    assert!(
        log.is_empty() || log.ends_with('\n'),
        "the last line does not end: {log:?}"
    );
    log.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}")))
        .collect()
}
