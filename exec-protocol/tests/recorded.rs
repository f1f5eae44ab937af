//! Real traffic of a client that must work unmodified: every line of it is read with our types.
//!
//! `recorded/README.md` says where it comes from. What was read is counted, so that a parser which
//! passes over something does not pass.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use exec_protocol::envelope::{Incoming, Message, RequestId, Style, parse};
use exec_protocol::fs::{CreateDirectory, GetMetadata, ReadFile, Remove, WriteFile};
use exec_protocol::initialize::{Initialize, Initialized};
use exec_protocol::process::{
    ClosedNotice, ExitedNotice, OutputNotice, Read, Signal, Start, Terminate, Write,
};
use exec_protocol::{Method, Notice, parse_params};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What is in the recordings: `>` from the client, `<` from the server.
const EXPECTED: &[(&str, usize)] = &[
    ("# open", 15),
    ("< environmentConfig/read result", 13),
    ("< fs/createDirectory result", 2),
    ("< fs/getMetadata error -32004", 197),
    ("< fs/getMetadata result", 6),
    ("< fs/readFile error -32004", 3),
    ("< fs/readFile result", 8),
    ("< fs/remove result", 2),
    ("< fs/watchMissing result", 13),
    ("< fs/writeFile error -32004", 2),
    ("< fs/writeFile result", 4),
    ("< initialize result", 15),
    ("< process/closed", 22),
    ("< process/exited", 22),
    ("< process/output", 43),
    ("< process/read result", 2),
    ("< process/signal result", 2),
    ("< process/start error -32603", 1),
    ("< process/start result", 23),
    ("< process/terminate result", 24),
    ("< process/write result", 7),
    ("> environmentConfig/read", 13),
    ("> fs/createDirectory", 2),
    ("> fs/getMetadata", 203),
    ("> fs/readFile", 11),
    ("> fs/remove", 2),
    ("> fs/watchMissing", 13),
    ("> fs/writeFile", 6),
    ("> initialize", 15),
    ("> initialized", 15),
    ("> process/read", 2),
    ("> process/signal", 2),
    ("> process/start", 24),
    ("> process/terminate", 24),
    ("> process/write", 7),
];

/// What stands in a long payload, which is base64, for the middle, which is not in the recording.
const LEFT_OUT: &str = "…(cut)…";

/// The line with something in place of what was left out that makes it base64 again.
fn filled_in(line: &str) -> String {
    let Some((before, after)) = line.split_once(LEFT_OUT) else {
        return line.to_owned();
    };
    let begun = before.rsplit('"').next().map_or(0, str::len);
    let rest = after.split('"').next().map_or(0, str::len);
    let filling = "A".repeat(4 - (begun + rest) % 4);
    [before, &filling, after].concat()
}

#[test]
fn every_recorded_message_is_read_by_our_types() {
    let mut counts = BTreeMap::new();
    for (scenario, text) in scenarios() {
        let mut recording = Recording::new(&scenario, &mut counts);
        for line in text.lines() {
            recording.line(line);
        }
        recording.end();
    }
    let counts: Vec<_> = counts
        .iter()
        .map(|(what, count)| (what.as_str(), *count))
        .collect();
    assert_eq!(counts, EXPECTED);
}

fn scenarios() -> Vec<(String, String)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded");
    let mut scenarios: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap()))
        .collect();
    scenarios.sort();
    scenarios
}

/// One file, while it is read.
struct Recording<'a> {
    scenario: &'a str,
    counts: &'a mut BTreeMap<String, usize>,
    /// The method of each request without an answer yet, by connection and id.
    waiting: HashMap<(String, RequestId<'static>), String>,
}

impl<'a> Recording<'a> {
    fn new(scenario: &'a str, counts: &'a mut BTreeMap<String, usize>) -> Self {
        Self {
            scenario,
            counts,
            waiting: HashMap::new(),
        }
    }

    fn line(&mut self, line: &str) {
        let mut parts = line.splitn(3, ' ');
        let (Some(connection), Some(direction), Some(text)) = (parts.next(), parts.next(), parts.next())
        else {
            panic!("{}: {line}", self.scenario)
        };
        let text = &filled_in(text);
        match direction {
            "#" => self.count(format!("# {text}")),
            ">" => self.client_says(connection, read_message(text)),
            "<" => self.server_says(connection, read_message(text)),
            _ => panic!("{}: {line}", self.scenario),
        }
    }

    fn client_says(&mut self, connection: &str, message: Message<'_>) {
        match message {
            Message::Request {
                id,
                method,
                params,
                style: Style::Bare,
            } => {
                self.count(format!("> {method}"));
                check_request(&method, params);
                let twin = self
                    .waiting
                    .insert((connection.to_owned(), id.into_owned()), method.into_owned());
                assert_eq!(twin, None, "{}: two requests with one id", self.scenario);
            }
            Message::Notification {
                method,
                params,
                style: Style::Bare,
            } => {
                self.count(format!("> {method}"));
                assert_eq!(method, Initialized::NAME, "{}", self.scenario);
                check_notice::<Initialized>(params);
            }
            other => panic!("{}: the client does not send {other:?}", self.scenario),
        }
    }

    fn server_says(&mut self, connection: &str, message: Message<'_>) {
        match message {
            Message::Response {
                id: Some(id),
                outcome,
                style: Style::Bare,
            } => {
                let method = self
                    .waiting
                    .remove(&(connection.to_owned(), id.into_owned()))
                    .unwrap_or_else(|| panic!("{}: an answer that nobody waits for", self.scenario));
                match outcome {
                    Ok(result) => {
                        self.count(format!("< {method} result"));
                        check_result(&method, result);
                    }
                    Err(error) => self.count(format!("< {method} error {}", error.code)),
                }
            }
            Message::Notification {
                method,
                params,
                style: Style::Bare,
            } => {
                self.count(format!("< {method}"));
                match method.as_ref() {
                    OutputNotice::NAME => check_written::<OutputNotice>(params),
                    ExitedNotice::NAME => check_written::<ExitedNotice>(params),
                    ClosedNotice::NAME => check_written::<ClosedNotice>(params),
                    _ => panic!("{}: an unknown notification {method}", self.scenario),
                }
            }
            other => panic!("{}: the server does not send {other:?}", self.scenario),
        }
    }

    /// Counts the requests that the recording, or its connection, ended before the answer to.
    fn end(self) {
        for method in self.waiting.into_values() {
            *self
                .counts
                .entry(format!("> {method} without an answer"))
                .or_default() += 1;
        }
    }

    fn count(&mut self, what: String) {
        *self.counts.entry(what).or_default() += 1;
    }
}

fn read_message(text: &str) -> Message<'_> {
    match parse(text.as_bytes()) {
        Ok(Incoming::Single(message)) => message,
        other => panic!("{text} is read as {other:?}"),
    }
}

fn check_request(method: &str, params: Option<&str>) {
    match method {
        Initialize::NAME => check_params::<Initialize>(params),
        Start::NAME => check_params::<Start>(params),
        Read::NAME => check_params::<Read>(params),
        Write::NAME => check_params::<Write>(params),
        Signal::NAME => check_params::<Signal>(params),
        Terminate::NAME => check_params::<Terminate>(params),
        GetMetadata::NAME => check_params::<GetMetadata>(params),
        ReadFile::NAME => check_params::<ReadFile>(params),
        WriteFile::NAME => check_params::<WriteFile>(params),
        CreateDirectory::NAME => check_params::<CreateDirectory>(params),
        Remove::NAME => check_params::<Remove>(params),
        _ => assert!(is_foreign(method), "{method} has no type"),
    }
}

fn check_result(method: &str, result: &str) {
    match method {
        // Ours say more than the recorded ones.
        Initialize::NAME => drop(read_as::<<Initialize as Method>::Result>(result)),
        Signal::NAME => drop(read_as::<<Signal as Method>::Result>(result)),
        Start::NAME => same_text::<<Start as Method>::Result>(result),
        Read::NAME => same_text::<<Read as Method>::Result>(result),
        Write::NAME => same_text::<<Write as Method>::Result>(result),
        Terminate::NAME => same_text::<<Terminate as Method>::Result>(result),
        GetMetadata::NAME => same_text::<<GetMetadata as Method>::Result>(result),
        ReadFile::NAME => same_text::<<ReadFile as Method>::Result>(result),
        WriteFile::NAME => same_text::<<WriteFile as Method>::Result>(result),
        CreateDirectory::NAME => same_text::<<CreateDirectory as Method>::Result>(result),
        Remove::NAME => same_text::<<Remove as Method>::Result>(result),
        _ => assert!(is_foreign(method), "{method} has no type"),
    }
}

/// Methods that the client asks for and this crate does not know. It asks for them because the recorded server told it
/// that it had them.
fn is_foreign(method: &str) -> bool {
    ["fs/watchMissing", "environmentConfig/read"].contains(&method)
}

fn check_params<M: Method>(params: Option<&str>) {
    if let Err(error) = parse_params::<M::Params>(params) {
        panic!("{} {params:?}: {error}", M::NAME);
    }
}

fn check_notice<N: Notice>(params: Option<&str>) {
    if let Err(error) = parse_params::<N::Params>(params) {
        panic!("{} {params:?}: {error}", N::NAME);
    }
}

fn check_written<N: Notice>(params: Option<&str>) {
    check_notice::<N>(params);
    same_text::<N::Params>(params.expect("checked above"));
}

/// What we would write has to be, to the byte, what the client is used to.
fn same_text<T: Serialize + DeserializeOwned>(text: &str) {
    assert_eq!(serde_json::to_string(&read_as::<T>(text)).unwrap(), text);
}

fn read_as<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}
