//! What was told of a process, in the recording or by our server: by notifications, and behind a resume by reads.

use std::collections::BTreeMap;

use exec_protocol::process::{ClosedParams, ExitedParams, OutputParams, ReadResult, Stream};
use exec_tests::What;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What was told of a process. Taking something in checks that it goes with what was told before.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    /// By number.
    events: BTreeMap<u64, What>,
    /// The number of the last notification on this connection.
    newest: Option<u64>,
}

impl Told {
    /// Takes in a notification, which must follow the one before on its connection; the first of all has number 1.
    pub(super) fn notified(&mut self, message: &Value) {
        let params = &message["params"];
        let (seq, what) = event(message["method"].as_str(), params);
        match self.newest {
            Some(newest) => assert_eq!(seq, newest + 1, "out of order: {params}"),
            None if self.events.is_empty() => assert_eq!(seq, 1, "not the first: {params}"),
            // Behind a resume it goes on anywhere; what is missing must be read.
            None => {}
        }
        self.newest = Some(seq);
        self.insert(seq, what);
    }

    /// Takes in the result of a read behind this number.
    pub(super) fn read(&mut self, mut after: u64, result: &ReadResult) {
        for chunk in &result.chunks {
            assert_eq!(chunk.seq.0, after + 1, "a hole in what is read");
            after = chunk.seq.0;
            let (stream, bytes) = (chunk.stream, chunk.chunk.0.to_vec());
            self.insert(after, What::Output { stream, bytes });
        }
    }

    fn insert(&mut self, seq: u64, what: What) {
        let Some(before) = self.events.get(&seq) else {
            self.events.insert(seq, what);
            return;
        };
        assert_eq!(*before, what, "{seq} was something else before");
    }

    /// The connection was cut: notifications go on with any number.
    pub(super) fn cut(&mut self) {
        self.newest = None;
    }

    /// Whether as much was told of this as the recording has.
    pub(super) fn has_reached(&self, recorded: &Self) -> bool {
        let has_output = || {
            [Stream::Stdout, Stream::Stderr, Stream::Pty]
                .into_iter()
                .all(|stream| self.output(stream).len() >= recorded.output(stream).len())
        };
        let has_exit = self.exit_code().is_some() || recorded.exit_code().is_none();
        // Behind the close there is nothing to wait for; whether it was enough is found at the end.
        self.is_closed() || (has_output() && has_exit && !recorded.is_closed())
    }

    /// All of one stream.
    pub(super) fn output(&self, wanted: Stream) -> Vec<u8> {
        self.collect(|_, stream| stream == wanted)
    }

    /// All streams up to this number, as they were told.
    pub(super) fn output_up_to(&self, last: u64) -> Vec<u8> {
        self.collect(|seq, _| seq <= last)
    }

    /// All that came behind the exit.
    pub(super) fn output_after_exit(&self) -> Vec<u8> {
        let exit = self.events.iter().find(|(_, what)| is_exit(what));
        let exit = exit.map_or(u64::MAX, |(seq, _)| *seq);
        self.collect(|seq, _| seq > exit)
    }

    fn collect(&self, wanted: impl Fn(u64, Stream) -> bool) -> Vec<u8> {
        let mut all = Vec::new();
        for (seq, what) in &self.events {
            if let What::Output { stream, bytes } = what
                && wanted(*seq, *stream)
            {
                all.extend_from_slice(bytes);
            }
        }
        all
    }

    /// The number up to which there are at most so many bytes.
    pub(super) fn cursor_at(&self, bytes: usize) -> u64 {
        let fits = |seq: &&u64| self.output_up_to(**seq).len() <= bytes;
        self.events.keys().take_while(fits).last().copied().unwrap_or(0)
    }

    /// The code of the exit, once that was told.
    pub(super) fn exit_code(&self) -> Option<i32> {
        self.events.values().find_map(|what| match what {
            What::Exited { exit_code } => Some(*exit_code),
            What::Output { .. } | What::Gap(_) | What::Closed => None,
        })
    }

    /// Whether the close was told.
    pub(super) fn is_closed(&self) -> bool {
        self.events.values().any(|what| *what == What::Closed)
    }

    /// Checks that it was told to its end: no number is missing, one exit, and one close that is last.
    pub(super) fn check_end(&self) {
        let numbers: Vec<u64> = self.events.keys().copied().collect();
        let expected: Vec<u64> = (1..=numbers.len() as u64).collect();
        assert_eq!(numbers, expected, "a number is missing");
        let count = |wanted: fn(&What) -> bool| self.events.values().filter(|what| wanted(what)).count();
        assert_eq!(count(is_exit), 1, "exits: {:?}", self.events);
        assert_eq!(count(|what| *what == What::Closed), 1, "{:?}", self.events);
        assert_eq!(self.events.values().last(), Some(&What::Closed));
    }
}

fn is_exit(what: &What) -> bool {
    matches!(what, What::Exited { .. })
}

fn event(method: Option<&str>, params: &Value) -> (u64, What) {
    match method {
        Some("process/output") => {
            let OutputParams {
                seq, stream, chunk, ..
            } = parse(params);
            let bytes = chunk.0.to_vec();
            (seq.0, What::Output { stream, bytes })
        }
        Some("process/exited") => {
            let ExitedParams { seq, exit_code, .. } = parse(params);
            // The agent asks every exit for it.
            assert_eq!(params.get("sandboxDenied"), Some(&Value::Bool(false)), "{params}");
            (seq.0, What::Exited { exit_code })
        }
        Some("process/closed") => {
            let ClosedParams { seq, .. } = parse(params);
            (seq.0, What::Closed)
        }
        method => panic!("the agent does not know {method:?}: {params}"),
    }
}

fn parse<T: DeserializeOwned>(params: &Value) -> T {
    serde_json::from_value(params.clone()).unwrap_or_else(|error| panic!("{error}: {params}"))
}
