//! What a line looks like, also if a peer has chosen what is in it.

use exec_tests::{on_program, program};
use serde_json::{Value, json};

use super::{hello, input, logging_to, objects};

/// Ends a line, begins another, commands a terminal in two ways, and writes from right to left.
const EVIL: &str = "x\n2000-01-01T00:00:00.000Z ERROR exec_server: forged\r\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{2028}\u{202e}\"=\\";

fn is_dangerous(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{2028}'..='\u{202e}')
}

/// What the server logs that is told this on stdio. Its stdout must be the wire and nothing else.
async fn log(arguments: &[&str], messages: &[Value]) -> Vec<u8> {
    let command = program::server(arguments.iter().copied());
    let output = program::output(command, input(messages)).await;
    assert!(output.status.success(), "{output:?}");
    let answers = program::messages(&output.stdout);
    assert_eq!(answers.len(), 1, "{answers:#?}");
    output.stderr
}

fn of_initialize(objects: &[Value]) -> &Value {
    let mut found = objects.iter().filter(|line| line["message"] == "initialized");
    let line = found.next().expect("a client is told of");
    assert_eq!(found.next(), None);
    line
}

#[tokio::test]
async fn a_server_that_is_well_says_nothing() {
    assert_eq!(String::from_utf8_lossy(&log(&[], &hello(EVIL)).await), "");
}

#[tokio::test]
async fn what_a_peer_says_ends_no_line_and_commands_no_terminal() {
    let log = log(&["--log", "debug"], &hello(EVIL)).await;
    let log = String::from_utf8(log).unwrap();
    for line in log.split_terminator('\n') {
        assert!(!line.contains(is_dangerous), "{line:?}");
        assert!(!line.starts_with("2000"), "{line:?}");
    }
    let line = log.lines().find(|line| line.contains(": initialized"));
    let name = r#"client="x\n2000-01-01T00:00:00.000Z ERROR exec_server: forged\r\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{2028}\u{202e}\"=\\""#;
    assert!(line.is_some_and(|line| line.ends_with(name)), "{log}");
}

#[tokio::test]
async fn json_has_an_object_in_each_line_and_the_name_as_it_was() {
    let log = log(&["--log", "debug", "--log-format", "json"], &hello(EVIL)).await;
    assert!(
        !String::from_utf8_lossy(&log)
            .replace('\n', "")
            .contains(is_dangerous)
    );
    let lines = objects(&log);
    let line = of_initialize(&lines);
    assert_eq!(line["fields"]["client"], EVIL);
    assert_eq!(line["level"], "DEBUG");
    assert_eq!(line["target"], "exec_server::rpc::connection::messages");
    let time = line["time"].as_str().unwrap();
    assert!(
        time.starts_with("20") && time.ends_with('Z') && time.len() == 24,
        "{time}"
    );
}

#[tokio::test]
async fn over_websocket_it_is_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let command = logging_to(&path, &["--log", "debug", "--log-format=json"]);
    on_program(command, async |server| {
        let mut peer = server.connect().await;
        peer.call("initialize", json!({"clientName": EVIL})).await;
        peer.finish().await;
    })
    .await;
    let lines = objects(&std::fs::read(path).unwrap());
    assert_eq!(of_initialize(&lines)["fields"]["client"], EVIL);
}

#[tokio::test]
async fn a_command_that_fails_says_so_in_the_same_form() {
    for words in [
        &["run", "--", "/no/such\u{1b}[2J\u{202e}/program"][..],
        &["task", "list", "--connect", "ws://127.0.0.1:1"],
        &["--listen", "ws://192.0.2.1:1"],
    ] {
        let in_words = program::output(program::server(words.iter().copied()), "").await;
        assert_eq!(in_words.status.code(), Some(125), "{words:?}");
        let said = String::from_utf8(in_words.stderr).unwrap();
        let message = said
            .strip_prefix("exec-server: ")
            .unwrap_or_else(|| panic!("{said:?}"));
        assert!(!message.trim_end().contains(is_dangerous), "{said:?}");

        let words = ["--log-format", "json"].iter().chain(words).copied();
        let as_object = program::output(program::server(words), "").await;
        assert_eq!(as_object.status.code(), Some(125));
        let lines = objects(&as_object.stderr);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0]["level"], "ERROR");
        assert!(lines[0]["message"].is_string());
    }
}
