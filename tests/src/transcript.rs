//! What a process has said so far.

use exec_protocol::process::{ClosedParams, ExitedParams, Gap, GapParams, OutputParams, Stream};
use exec_protocol::{Blob, Seq};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// One notification about a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number; for a gap that of the last chunk that is lost.
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
    /// `process/gap`
    Gap(Gap),
    /// `process/exited`
    Exited {
        /// The code, or 128+n.
        exit_code: i32,
    },
    /// `process/closed`
    Closed,
}

/// What a process has said so far. Taking an event in checks that it is the one that must follow:
/// numbers without a hole, one exit, one close, and nothing after that. Output that is lost is a failure, unless
/// [`Peer::expect_gaps`](crate::Peer::expect_gaps) was called; then its numbers and bytes are counted.
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
    /// All that was told of the exit.
    pub exit: Option<ExitedParams>,
    /// Whether the close was told.
    pub is_closed: bool,
    /// All that was told of the close.
    pub close: Option<ClosedParams>,
    /// The newest number, or the cursor that the transcript began at.
    pub last_seq: u64,
    /// Bytes that were told, and bytes that were told to be lost. Not those before a late beginning.
    pub offset: u64,
    /// All events, in order.
    pub events: Vec<Event>,
    /// Whether output may be lost.
    pub(crate) may_have_gaps: bool,
    /// Whether it did not begin with the process.
    began_late: bool,
}

impl Transcript {
    /// A transcript of what comes after this number.
    pub fn after(seq: u64) -> Self {
        Self {
            last_seq: seq,
            began_late: seq != 0,
            ..Self::default()
        }
    }

    /// The output of all streams, in the order in which it was told.
    pub fn output(&self) -> Vec<u8> {
        collect_output(&self.events)
    }

    /// What was told to be lost, in order.
    pub fn gaps(&self) -> Vec<Gap> {
        let gap = |event: &Event| match event.what {
            What::Gap(gap) => Some(gap),
            What::Output { .. } | What::Exited { .. } | What::Closed => None,
        };
        self.events.iter().filter_map(gap).collect()
    }

    /// The output of all streams as text, for messages and searches.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.output()).into_owned()
    }

    /// The newest output as text, for a failure to show: a piece of it, so that it may be asked for after each event.
    pub(crate) fn last_words(&self) -> String {
        let newest = |event: &Event| match &event.what {
            What::Output { bytes, .. } => {
                Some(String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(200)..]).into_owned())
            }
            What::Gap(_) | What::Exited { .. } | What::Closed => None,
        };
        self.events.iter().rev().find_map(newest).unwrap_or_default()
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
        let first_seq = match event.what {
            What::Gap(gap) => gap.from_seq.0,
            What::Output { .. } | What::Exited { .. } | What::Closed => event.seq,
        };
        assert_eq!(
            first_seq,
            self.last_seq + 1,
            "{method} has the wrong number: {}",
            shown(params)
        );
        match &event.what {
            What::Output { stream, bytes } => {
                self.offset += bytes.len() as u64;
                self.stream(*stream).extend_from_slice(bytes);
            }
            What::Gap(gap) => {
                assert!(self.may_have_gaps, "output is lost: {params}");
                assert!(
                    self.began_late || gap.from_offset == self.offset,
                    "{params}, {} bytes told",
                    self.offset
                );
                assert_eq!(gap.bytes, gap.to_offset - gap.from_offset, "{params}");
                assert!(
                    gap.bytes > 0 && gap.to_seq >= gap.from_seq,
                    "a gap without bytes: {params}"
                );
                self.offset += gap.bytes;
            }
            What::Exited { exit_code } => {
                assert_eq!(self.exit_code, None, "a second exit: {params}");
                self.exit_code = Some(*exit_code);
                self.exit = Some(parse(params));
            }
            What::Closed => {
                assert!(
                    self.exit_code.is_some() || self.began_late,
                    "closed before the exit: {params}"
                );
                self.is_closed = true;
                self.close = Some(parse(params));
            }
        }
        self.last_seq = event.seq;
        self.events.push(event.clone());
        event
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
        "process/gap" => {
            let GapParams { gap, .. } = parse(params);
            (gap.to_seq, What::Gap(gap))
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

/// The params without the bulk of the output in them.
fn shown(params: &Value) -> String {
    params.to_string().chars().take(200).collect()
}

fn parse<T: DeserializeOwned>(params: &Value) -> T {
    serde_json::from_value(params.clone()).unwrap_or_else(|error| panic!("{error}: {params}"))
}
