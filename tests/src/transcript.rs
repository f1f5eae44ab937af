//! What a process has said so far.

use exec_protocol::process::{ClosedParams, ExitedParams, OutputParams, Stream};
use exec_protocol::{Blob, Seq};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// One notification about a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number.
    pub seq: u64,
    /// What it says.
    pub what: What,
}

/// What a notification about a process says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// `process/output`
    Output {
        /// Where it was written to.
        stream: Stream,
        /// What was written.
        bytes: Vec<u8>,
    },
    /// `process/exited`
    Exited {
        /// The code, or 128+n.
        exit_code: i32,
    },
    /// `process/closed`
    Closed,
}

/// What a process has said so far. Taking an event in checks that it is the one that must follow:
/// numbers without a gap, one exit, one close, and nothing after that.
#[derive(Debug, Clone, Default)]
pub struct Transcript {
    /// Everything on standard output.
    pub stdout: Vec<u8>,
    /// Everything on standard error.
    pub stderr: Vec<u8>,
    /// Everything on the terminal.
    pub pty: Vec<u8>,
    /// The code of the exit, once that was told.
    pub exit_code: Option<i32>,
    /// Whether the close was told.
    pub is_closed: bool,
    /// The newest number, or the cursor that the transcript began at.
    pub last_seq: u64,
    /// All events, in order.
    pub events: Vec<Event>,
}

impl Transcript {
    /// A transcript of what comes after this number.
    pub fn after(seq: u64) -> Self {
        Self {
            last_seq: seq,
            ..Self::default()
        }
    }

    /// The output of all streams, in the order in which it was told.
    pub fn output(&self) -> Vec<u8> {
        collect_output(&self.events)
    }

    /// The output of all streams as text, for messages and searches.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.output()).into_owned()
    }

    /// The output that was told after the exit.
    pub fn output_after_exit(&self) -> Vec<u8> {
        let exit = self
            .events
            .iter()
            .position(|event| matches!(event.what, What::Exited { .. }));
        collect_output(&self.events[exit.map_or(self.events.len(), |at| at + 1)..])
    }

    /// Takes in the params of a notification.
    pub(crate) fn take(&mut self, method: &str, params: &Value) -> Event {
        let event = event(method, params);
        assert!(!self.is_closed, "{method} came after the close: {params}");
        assert_eq!(
            event.seq,
            self.last_seq + 1,
            "{method} has the wrong number: {params}"
        );
        self.last_seq = event.seq;
        match &event.what {
            What::Output { stream, bytes } => self.stream(*stream).extend_from_slice(bytes),
            What::Exited { exit_code } => {
                assert_eq!(self.exit_code, None, "a second exit: {params}");
                self.exit_code = Some(*exit_code);
            }
            What::Closed => {
                assert!(
                    self.exit_code.is_some() || self.began_late(),
                    "closed before the exit: {params}"
                );
                self.is_closed = true;
            }
        }
        self.events.push(event.clone());
        event
    }

    fn began_late(&self) -> bool {
        self.events.first().is_none_or(|event| event.seq > 1)
    }

    fn stream(&mut self, stream: Stream) -> &mut Vec<u8> {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
            Stream::Pty => &mut self.pty,
        }
    }
}

fn collect_output(events: &[Event]) -> Vec<u8> {
    let mut all = Vec::new();
    for event in events {
        if let What::Output { bytes, .. } = &event.what {
            all.extend_from_slice(bytes);
        }
    }
    all
}

fn event(method: &str, params: &Value) -> Event {
    let (Seq(seq), what) = match method {
        "process/output" => {
            let OutputParams {
                seq,
                stream,
                chunk: Blob(bytes),
                ..
            } = parse(params);
            assert!(!bytes.is_empty(), "output of nothing: {params}");
            (
                seq,
                What::Output {
                    stream,
                    bytes: bytes.into(),
                },
            )
        }
        "process/exited" => {
            let ExitedParams { seq, exit_code, .. } = parse(params);
            assert_eq!(
                params["sandboxDenied"], false,
                "no sandbox could deny anything: {params}"
            );
            (seq, What::Exited { exit_code })
        }
        "process/closed" => {
            let ClosedParams { seq, .. } = parse(params);
            (seq, What::Closed)
        }
        method => panic!("{method} is no notification of a process: {params}"),
    };
    Event { seq, what }
}

fn parse<T: DeserializeOwned>(params: &Value) -> T {
    serde_json::from_value(params.clone()).unwrap_or_else(|error| panic!("{error}: {params}"))
}
