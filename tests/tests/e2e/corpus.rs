//! What the fuzzers begin with and have found, for the real program: each input costs only itself, and whatever wants an
//! answer gets one, under its own id.

mod handshake;
mod index;
mod messages;
mod one_byte;

use std::fs;
use std::path::Path;

use bytes::Bytes;
use exec_client::MessageReceiver;
use exec_protocol::envelope::{EnvelopeError, Incoming, Message, RequestId, parse};
use exec_tests::program;
use exec_tests::wait::within_patience;

/// What opens a session, answers under `"hello"`, and lets everything else follow.
const HELLO: [&str; 2] = [
    r#"{"id":"hello","method":"initialize","params":{"clientName":"corpus"}}"#,
    r#"{"method":"initialized"}"#,
];

/// What is answered where everything is as it should be, under [`PROBE_ID`].
const PROBE: &str = r#"{"id":"probe","method":"environment/info"}"#;
const PROBE_ID: &str = r#""probe""#;

/// How many conversations go on at a time: a few, as each takes a connection or a server.
const AT_A_TIME: usize = 10;

/// One input of the corpus.
struct Seed {
    name: String,
    bytes: Vec<u8>,
}

/// The inputs of a fuzz target.
fn seeds(target: &str) -> Vec<Seed> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let entries = fs::read_dir(corpus.join(target)).expect("it is a part of the sources");
    let seeds: Vec<_> = entries
        .map(|entry| {
            let entry = entry.expect("it can be read");
            let name = entry.file_name().to_string_lossy().into_owned();
            let bytes = fs::read(entry.path()).expect("it can be read");
            Seed { name, bytes }
        })
        .collect();
    assert!(!seeds.is_empty(), "there is nothing for {target}");
    seeds
}

/// The lines of a stream that are messages, or should be.
fn lines(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = stream.split(|byte| *byte == b'\n');
    lines.filter(|line| !line.trim_ascii().is_empty())
}

/// The ids under which this message is to be answered, as JSON.
fn due(message: &[u8]) -> Vec<String> {
    match parse(message) {
        Ok(Incoming::Single(message)) => wanted(Ok(message)).into_iter().collect(),
        Ok(Incoming::Batch(elements)) => elements.into_iter().filter_map(wanted).collect(),
        Err(error) => wanted(Err(error)).into_iter().collect(),
    }
}

fn wanted(message: Result<Message<'_>, EnvelopeError>) -> Option<String> {
    match message {
        Ok(Message::Request { id, .. }) => Some(id.as_json().to_owned()),
        Ok(Message::Notification { .. } | Message::Response { .. }) => None,
        Err(error) => Some(json_of(error.id.as_ref())),
    }
}

/// The ids of the answers in this message of the server, as JSON.
fn answered(message: &[u8]) -> Vec<String> {
    let of = |message: Message<'_>| match message {
        Message::Response { id, .. } => Some(json_of(id.as_ref())),
        Message::Notification { .. } => None,
        Message::Request { .. } => panic!("the server asks: {message:?}"),
    };
    match parse(message).expect("the server says what can be read") {
        Incoming::Single(message) => of(message).into_iter().collect(),
        Incoming::Batch(elements) => elements
            .into_iter()
            .filter_map(|element| of(element.expect("the server says what can be read")))
            .collect(),
    }
}

fn json_of(id: Option<&RequestId<'_>>) -> String {
    id.map_or("null", RequestId::as_json).to_owned()
}

/// Gives a server this input to its end, and returns the ids that it has answered, which must be the ones that are due.
async fn is_answered(input: &[u8]) -> Vec<String> {
    let output = program::output(program::server(["--no-tasks"]), input).await;
    let said = String::from_utf8_lossy(&output.stderr);
    let shown = String::from_utf8_lossy(input);
    let is_sound = output.status.success() && !said.contains("panicked");
    assert!(is_sound, "{shown}\n{output:?}");
    let mut answers: Vec<_> = lines(&output.stdout).flat_map(answered).collect();
    let mut due: Vec<_> = lines(input).flat_map(due).collect();
    answers.sort();
    due.sort();
    assert_eq!(answers, due, "{shown}");
    answers
}

/// Reads until as many answers have come as are due, which must be the ones that are.
async fn are_answered(receiver: &mut MessageReceiver, mut due: Vec<String>, whose: &str) {
    let mut answers = Vec::new();
    while answers.len() < due.len() {
        let what = format!("the answers to {whose}: {due:?} without {answers:?}");
        let message: Option<Bytes> = within_patience(&what, receiver.receive()).await;
        let message = message.unwrap_or_else(|| panic!("the server hung up before {what}"));
        answers.extend(answered(&message));
    }
    due.sort();
    answers.sort();
    assert_eq!(answers, due, "{whose}");
}
